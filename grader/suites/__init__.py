"""Is it right? The hidden suites: one file per item, written against proxies that read like calls.

They follow three habits. A check judges behaviour, never source text. A check of one item takes the
student's other pieces as they are. Every failure says what was expected, what came, the likely cause
and what to try, and never shows an expected tensor in full.
"""
