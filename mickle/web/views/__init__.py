"""The views, by who uses them: anybody, givers, makers, operators."""
