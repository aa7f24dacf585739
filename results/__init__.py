"""Reading a run: captures to evidence to verdict. Needs no root and no lab."""
