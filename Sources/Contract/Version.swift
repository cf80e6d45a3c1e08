/// Octavo's version, as `health`, `hello` and `--version` say it.
public let octavoVersion = "0.1.0"
