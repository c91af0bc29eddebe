"""The same zones and questions for georouter, Knot DNS and NSD: where do the answers differ?"""
