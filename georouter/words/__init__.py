"""Ids and errors that every room speaks."""
