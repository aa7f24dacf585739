"""Anyone's captures, without keys and without a run: which calls are in there, and how they fared.

``lanes`` cuts the packets into conversations as each file has them, ``streams`` finds
media among them, ``conversations`` joins what several files have of one, ``ice`` and
``turn`` read checks and allocations, ``calls`` puts calls together; ``order`` and
``clocks`` say which file lies where and how its clock stands. ``inspect`` does all.

Nothing here is proved as the verdict on a run is: without keys neither STUN nor media
can be authenticated. What the packets do not show is said to be unknown.
"""
