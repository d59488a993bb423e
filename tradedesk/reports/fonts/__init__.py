"""The font of reports: Noto Sans under the SIL Open Font License (`OFL.txt`), cut down to what they print."""
