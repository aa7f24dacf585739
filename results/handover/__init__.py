"""What leaves the testbed for other tools: captures with comments, Markdown, JUnit XML.

All of it is read from run folders and results, and says nothing that they do not.
"""
