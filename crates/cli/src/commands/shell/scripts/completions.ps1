# Completion of PROGRAM for PowerShell. Nothing that hatbox prints is expanded by the shell.
Register-ArgumentCompleter -Native -CommandName 'PROGRAM' -ScriptBlock {
    param($typed, $tree, $cursor)
    $words = @($tree.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object {
            if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
        })
    $start = '=' + $typed.Trim("'", '"')
    $lines = @(& 'PROGRAM' --complete pwsh 'PROGRAM' @words $start 2>$null)
    if ($lines.Count -eq 0 -or $lines[0] -ne 'words') { return }
    $lines | Select-Object -Skip 1 | ForEach-Object {
        $value, $about = $_ -split "`t", 2
        if (-not $about) { $about = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
    }
}
