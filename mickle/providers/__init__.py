"""What the outside world of money understands: bank references, account numbers, QR codes, files.

One module a provider, without tables. `sepa` is pure: the bank transfer needs no wire, an operator
carries its files to the bank. Called by payins and payouts; pages may draw a QR code with it.
"""
