"""The files of the base `penjing/small`; the package holds no code."""
