# Installs hatbox for you alone, without administrator rights: the program and its completions.
#
#   irm https://github.com/hatbox/hatbox/releases/latest/download/install.ps1 | iex
#   .\install.ps1 -Version 0.1.0    # this version
#   .\install.ps1 -Uninstall        # removes what was installed, and nothing else
#
# HATBOX_DOWNLOAD_URL is the address of a mirror: a directory with the archives and SHA256SUMS.

[CmdletBinding()]
param(
    [string] $Version = '',
    [switch] $Uninstall
)

# All code is in functions that the last line calls, so an incomplete download does nothing.

function Get-HatboxTarget {
    # The native processor, even if this PowerShell is emulated.
    $processor = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
    switch ($processor) {
        'AMD64' { return 'x86_64-pc-windows-gnu' }
        # Windows on ARM runs programs for x86_64.
        'ARM64' { return 'x86_64-pc-windows-gnu' }
        default { throw "no archive for this system: Windows on $processor" }
    }
}

# Plain http is allowed only for mirrors on this machine: on a network, anyone in between could change the files.
function Get-HatboxAddress([string] $Releases, [string] $Version) {
    if ($env:HATBOX_DOWNLOAD_URL) {
        $address = $env:HATBOX_DOWNLOAD_URL.TrimEnd('/')
        $uri = [Uri] $address
        # A relative URI has no scheme, and reading it is an error.
        $isLocal = $uri.IsAbsoluteUri -and $uri.Scheme -eq 'http' -and $uri.IsLoopback
        $isSecure = $uri.IsAbsoluteUri -and $uri.Scheme -eq 'https'
        if (-not ($isSecure -or $isLocal) -or $uri.UserInfo) {
            throw "invalid HATBOX_DOWNLOAD_URL: expected https://..."
        }
        return $address
    }
    if ($Version) { return "$Releases/download/v$Version" }
    return "$Releases/latest/download"
}

function Get-HatboxFile([string] $Address, [string] $Name, [string] $Path) {
    try {
        # Windows PowerShell draws its progress so slowly that a download takes minutes.
        $ProgressPreference = 'SilentlyContinue'
        Invoke-WebRequest -Uri "$Address/$Name" -OutFile $Path -UseBasicParsing -TimeoutSec 900
    } catch {
        throw "cannot download $Address/${Name}: $($_.Exception.Message)"
    }
}

# The entry of SHA256SUMS for the target: a name, a digest and a version.
function Find-HatboxArchive([string] $Sums, [string] $Target, [string] $Version) {
    $found = @()
    foreach ($line in Get-Content -LiteralPath $Sums -TotalCount 1000) {
        $pattern = '^([0-9a-f]{64}) [ *](hatbox-([0-9A-Za-z+-][0-9A-Za-z.+-]*)-' + [regex]::Escape($Target) + '\.zip)$'
        if ($line -cmatch $pattern -and (-not $Version -or $Matches[3] -ceq $Version)) {
            $found += [pscustomobject] @{ Name = $Matches[2]; Digest = $Matches[1]; Version = $Matches[3] }
        }
    }
    if ($found.Count -eq 0) { throw "SHA256SUMS lists no archive for $Target" }
    if ($found.Count -gt 1) { throw "SHA256SUMS has several versions: choose one with -Version" }
    return $found[0]
}

# The directories of the user's PATH as stored in the registry, with %VARIABLES% not expanded.
function Get-HatboxUserPath {
    $key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment')
    if (-not $key) { return @() }
    try {
        $text = [string] $key.GetValue('Path', '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
        return @($text.Split(';') | Where-Object { $_ })
    } finally {
        $key.Dispose()
    }
}

function Install-Hatbox([string] $Version) {
    $releases = 'https://github.com/hatbox/hatbox/releases'
    $target = Get-HatboxTarget
    $address = Get-HatboxAddress $releases $Version
    $home_ = Join-Path $env:LOCALAPPDATA 'Programs\hatbox'
    New-Item -ItemType Directory -Force -Path $home_ | Out-Null
    $scratch = Join-Path $home_ ('install-' + [Guid]::NewGuid())
    New-Item -ItemType Directory -Path $scratch | Out-Null
    try {
        Write-Output "Downloading from $address"
        $sums = Join-Path $scratch 'SHA256SUMS'
        Get-HatboxFile $address 'SHA256SUMS' $sums
        $archive = Find-HatboxArchive $sums $target $Version
        # There may be a newer release by now.
        if (-not $env:HATBOX_DOWNLOAD_URL) { $address = "$releases/download/v$($archive.Version)" }
        $path = Join-Path $scratch $archive.Name
        Get-HatboxFile $address $archive.Name $path
        $actual = (Get-FileHash -Algorithm SHA256 -LiteralPath $path).Hash.ToLowerInvariant()
        if ($actual -cne $archive.Digest) {
            throw "the SHA-256 of $($archive.Name) is $actual, not $($archive.Digest) as in SHA256SUMS; nothing was installed"
        }
        Write-Output "Verified the SHA-256 of $($archive.Name)"
        Expand-Archive -LiteralPath $path -DestinationPath $scratch
        $unpacked = Join-Path $scratch "hatbox-$($archive.Version)-$target"
        $program = Join-Path $unpacked 'hatbox.exe'
        & $program --version | Out-Null
        if ($LASTEXITCODE -ne 0) { throw "hatbox $($archive.Version) does not run on this system" }
        # A running program can be renamed, but not replaced.
        $installed = Join-Path $home_ 'hatbox.exe'
        $before = Join-Path $home_ 'hatbox.old.exe'
        Remove-Item -LiteralPath $before -Force -ErrorAction SilentlyContinue
        if (Test-Path -LiteralPath $installed) { Move-Item -LiteralPath $installed -Destination $before -Force }
        try {
            Move-Item -LiteralPath $program -Destination $installed
        } catch {
            if (Test-Path -LiteralPath $before) { Move-Item -LiteralPath $before -Destination $installed }
            throw
        }
        # Fails while a hatbox is running; the next installation removes it then.
        Remove-Item -LiteralPath $before -Force -ErrorAction SilentlyContinue
        foreach ($name in 'completions', 'LICENSE-APACHE', 'LICENSE-MIT', 'THIRD-PARTY-LICENSES.txt', 'README.md',
            'CHANGELOG.md') {
            $from = Join-Path $unpacked $name
            if (Test-Path -LiteralPath $from) {
                $to = Join-Path $home_ $name
                Remove-Item -LiteralPath $to -Recurse -Force -ErrorAction SilentlyContinue
                Move-Item -LiteralPath $from -Destination $to
            }
        }
    } finally {
        Remove-Item -LiteralPath $scratch -Recurse -Force -ErrorAction SilentlyContinue
    }
    Write-Output "Installed hatbox $($archive.Version): $installed"
    if ((Get-HatboxUserPath) -contains $home_) {
        Write-Output "$home_ is in PATH."
    } else {
        # Not with `setx`, which truncates values longer than 1,024 characters.
        Write-Output "$home_ is not in PATH. Add it to Path in the window that this opens:"
        Write-Output '  rundll32.exe sysdm.cpl,EditEnvironmentVariables'
    }
    Write-Output 'To undo: run this script with -Uninstall.'
}

function Uninstall-Hatbox {
    $home_ = Join-Path $env:LOCALAPPDATA 'Programs\hatbox'
    if (-not (Test-Path -LiteralPath (Join-Path $home_ 'hatbox.exe'))) {
        throw "hatbox was not installed by this script: $home_\hatbox.exe does not exist"
    }
    foreach ($name in 'hatbox.exe', 'hatbox.old.exe', 'completions', 'LICENSE-APACHE', 'LICENSE-MIT', 'THIRD-PARTY-LICENSES.txt', 'README.md',
            'CHANGELOG.md') {
        $path = Join-Path $home_ $name
        if (Test-Path -LiteralPath $path) { Remove-Item -LiteralPath $path -Recurse -Force }
    }
    if (-not (Get-ChildItem -LiteralPath $home_ -Force)) { Remove-Item -LiteralPath $home_ }
    Write-Output "Removed hatbox from $home_."
    Write-Output "Your access keys, settings and .aws are still there. To delete what hatbox keeps, remove:"
    Write-Output "  $env:APPDATA\hatbox and $env:LOCALAPPDATA\hatbox, and hatbox's entries in the Credential Manager"
}

function Invoke-HatboxInstaller([string] $Version, [bool] $Uninstall) {
    $ErrorActionPreference = 'Stop'
    Set-StrictMode -Version 2
    # Windows PowerShell 5.1 does not offer TLS 1.2 on every system.
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
    $Version = $Version -creplace '^v', ''
    if ($Version -and $Version -cnotmatch '^[0-9A-Za-z+-][0-9A-Za-z.+-]*$') { throw "invalid version: expected one such as 0.1.0" }
    if ($Uninstall) { Uninstall-Hatbox } else { Install-Hatbox $Version }
}

Invoke-HatboxInstaller $Version $Uninstall.IsPresent
