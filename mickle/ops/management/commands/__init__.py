"""One command a file; `mickle top-up` is `top_up.py`."""
