"""`arbees demo`: everything at once, on data that the project generates itself.

Guarantees that nothing of the operator's is touched: no settings, no journal, no network.
"""

from cyclopts import App

app = App(name="demo")


@app.default
def demo() -> int:
    """Show an evening of basketball: fills, denials, a halt, a crash, the proof.

    Example: `arbees demo`
    """
    from arbees.rehearsal import demo as evening

    return evening.main()
