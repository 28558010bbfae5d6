
# `HAT PROFILE` assumes the role of a profile in this shell, `HAT --drop` takes the credentials away again.
# Values are never expanded, nor words of any program's command line.
$global:__hatbox = @{ Names = @{}; Profile = ''; Previous = ''; Args = @(); PreviousArgs = @(); Expires = 0; Renew = 0 }

function global:__hatbox_set([string]$name, $value) {
    if (-not $global:__hatbox.Names.ContainsKey($name)) {
        $global:__hatbox.Names[$name] = [Environment]::GetEnvironmentVariable($name, 'Process')
    }
    [Environment]::SetEnvironmentVariable($name, $value, 'Process')
}

# Sets each variable as it was before, and returns what each was until now.
function global:__hatbox_restore {
    $now = @{}
    foreach ($name in @($global:__hatbox.Names.Keys)) {
        $now[$name] = [Environment]::GetEnvironmentVariable($name, 'Process')
        [Environment]::SetEnvironmentVariable($name, $global:__hatbox.Names[$name], 'Process')
    }
    $now
}

function global:__hatbox_obtain([string[]]$words) {
    # hatbox is asked as if this shell had no credentials.
    $before = $global:__hatbox.Names
    $now = __hatbox_restore
    $lines = @(& (Get-Command -CommandType Application PROGRAM | Select-Object -First 1) hat @words)
    if ($LASTEXITCODE -ne 0 -or $lines.Count -eq 0 -or -not $lines[0].StartsWith('profile ')) {
        foreach ($name in $now.Keys) { [Environment]::SetEnvironmentVariable($name, $now[$name], 'Process') }
        $global:__hatbox.Names = $before
        foreach ($line in $lines) { if ($line.StartsWith('renew ')) { $global:__hatbox.Renew = [long]$line.Substring(6) } }
        return $LASTEXITCODE -eq 0
    }
    $global:__hatbox.Names = @{}
    $global:__hatbox.Renew = 0
    foreach ($line in $lines) {
        $kind, $name, $value = $line -split ' ', 3
        switch ($kind) {
            'profile' { $global:__hatbox.Profile = $line.Substring(8) }
            'expires' { $global:__hatbox.Expires = [long]$name }
            'renew' { $global:__hatbox.Renew = [long]$name }
            # Security: only what hatbox sets and removes.
            { $_ -in 'set', 'unset' -and $name -notmatch '^(AWS_[A-Z0-9_]*|[H]ATBOX(_[A-Z0-9_]*)?)\z' } { break }
            'unset' { __hatbox_set $name $null }
            'set' { __hatbox_set $name $value }
        }
    }
    return $true
}

function global:HAT {
    $words = @($args | ForEach-Object { [string]$_ })
    $previous, $previousArgs = $global:__hatbox.Profile, $global:__hatbox.Args
    $first = if ($words.Count) { $words[0] } else { '' }
    if ($first -in '--drop', '--unset', '-u') {
        if (-not $global:__hatbox.Profile) { [Console]::Error.WriteLine('HAT: this shell has no credentials of `HAT`'); return }
        $null = __hatbox_restore
        $global:__hatbox.Names = @{}
        $global:__hatbox.Profile, $global:__hatbox.Renew, $global:__hatbox.Args = '', 0, @()
    } elseif ($first -eq '-') {
        if (-not $global:__hatbox.Previous) { Write-Error 'HAT: no previous profile in this shell'; return }
        $words = @($global:__hatbox.PreviousArgs)
        if (-not (__hatbox_obtain (@('--of', $global:__hatbox.Previous) + $words))) { return }
        $global:__hatbox.Args = $words
    } elseif ($first -in '-h', '--help') {
        & (Get-Command -CommandType Application PROGRAM | Select-Object -First 1) hat @words
        return
    } else {
        if (-not (__hatbox_obtain $words)) { return }
        $global:__hatbox.Args = $words
    }
    if ($previous) { $global:__hatbox.Previous, $global:__hatbox.PreviousArgs = $previous, $previousArgs }
}

# Before each prompt: nothing but a comparison, until it is time to renew.
if (-not $global:__hatbox_prompt) {
    $global:__hatbox_prompt = $function:prompt
    function global:prompt {
        if ($global:__hatbox.Renew) {
            $now = [DateTimeOffset]::UtcNow.ToUnixTimeSeconds()
            if ($now -ge $global:__hatbox.Renew) {
                $global:__hatbox.Renew = $now + 60
                $null = __hatbox_obtain (@('--renew', [string]$global:__hatbox.Expires, '--of', $global:__hatbox.Profile) + $global:__hatbox.Args)
            }
        }
        & $global:__hatbox_prompt
    }
}
