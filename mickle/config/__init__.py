"""Settings, URLs and the dispatcher of the two halves of the process."""
