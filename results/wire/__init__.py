"""Captures read in columns: from the bytes of files to what each packet is, never one by one.

``captures`` opens a file (``pcap``, ``pcapng``), ``walk`` finds its records, ``batches``
reads them: ``link``, ``network``, ``transport`` and ``payload`` each take the places where
a header begins, for thousands of packets at once, and say where the next one does.
Of large files ``pieces`` has several ``processes`` read their share.
"""
