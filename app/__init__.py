"""Operon's server: pure core below (variants, formats), store and FHIR in the middle, HTTP on top."""

__version__ = "0.1.0"
