"""Which sport a series of Kalshi's is about: by its whole name, or by the venue's own word.

Guarantees that a name which only begins like a league's is not taken for it (KXNFLX is a company
that streams films); what is not known is no sport, and counts as UNCLASSIFIED.
"""

from collections.abc import Sequence

SPORTS_CATEGORY = "sports"
LEAGUES = {
    "KXNBA": "NBA",
    "KXWNBA": "WNBA",
    "KXNFL": "NFL",
    "KXMLB": "MLB",
    "KXNHL": "NHL",
    "KXNCAAMB": "NCAAB",
    "KXNCAAWB": "NCAAWB",
    "KXNCAAF": "NCAAF",
    "KXNCAABB": "NCAABB",
    "KXATP": "TENNIS",
    "KXATPCHALLENGER": "TENNIS",
    "KXWTA": "TENNIS",
    "KXWTACHALLENGER": "TENNIS",
    "KXITF": "TENNIS",
    "KXITFW": "TENNIS",
    "KXEPL": "SOCCER",
    "KXMLS": "SOCCER",
    "KXUCL": "SOCCER",
    "KXUEL": "SOCCER",
    "KXUECL": "SOCCER",
    "KXLALIGA": "SOCCER",
    "KXSERIEA": "SOCCER",
    "KXBUNDESLIGA": "SOCCER",
    "KXLIGUE1": "SOCCER",
    "KXLIGAMX": "SOCCER",
    "KXALEAGUE": "SOCCER",
    "KXEREDIVISIE": "SOCCER",
    "KXLIGAPORTUGAL": "SOCCER",
    "KXBRASILEIRO": "SOCCER",
    "KXNWSL": "SOCCER",
    "KXFACUP": "SOCCER",
    "KXEFLCHAMPIONSHIP": "SOCCER",
    "KXWC": "SOCCER",
    "KXMENWORLDCUP": "SOCCER",
    "KXUFC": "MMA",
    "KXBOXING": "BOXING",
    "KXPGA": "GOLF",
    "KXPGATOUR": "GOLF",
    "KXLIV": "GOLF",
    "KXF1": "F1",
    "KXNASCAR": "NASCAR",
    "KXCSGO": "ESPORTS",
    "KXCS2": "ESPORTS",
    "KXLOL": "ESPORTS",
    "KXDOTA2": "ESPORTS",
    "KXVALORANT": "ESPORTS",
}
"""Leagues by the word that their series begin with."""
KINDS = (
    *("", "GAME", "MATCH", "FIGHT", "RACE", "MAP", "SERIES", "WINNER", "CHAMP", "PLAYOFF"),
    *("SPREAD", "TOTAL", "TEAMTOTAL", "MONEYLINE", "BTTS", "DRAW", "RFI", "OT", "EXTRA"),
    *("1H", "2H", "1HSPREAD", "2HSPREAD", "1HTOTAL", "2HTOTAL", "1HWINNER", "2HWINNER"),
    *("1Q", "1QSPREAD", "1QTOTAL", "1QWINNER", "F5", "F5SPREAD", "F5TOTAL"),
    *("DOUBLES", "DOUBLESMATCH", "SETWINNER", "SET", "GAMESPREAD", "GAMETOTAL", "TOTALSETS"),
    *("COY", "MVP", "ROY", "DPOY", "EAST", "WEST", "FINALS", "CUP", "TOP4", "RELEGATION"),
    *("PTS", "REB", "AST", "3PT", "STL", "BLK", "PRA", "DOUBLEDOUBLE", "TRIPLEDOUBLE"),
    *("HR", "KS", "HRR", "HITS", "TB", "RBI", "STRIKEOUTS", "GOAL", "GOALS", "SHOTS", "SAVES"),
    *("ANYTD", "FIRSTTD", "2TD", "PASSYDS", "PASSTDS", "RSHYDS", "RECYDS", "REC", "SACKS"),
    *("AFCCHAMP", "NFCCHAMP", "ALCHAMP", "NLCHAMP", "ADVANCE", "GOALSCORER", "CORNERS"),
    *("CHALLENGERMATCH", "MOV", "MOF", "ROUNDS", "VICTORY", "SCORE"),
)
"""What the name of a league's series may go on with."""
SERIES = {league + kind: sport for league, sport in LEAGUES.items() for kind in KINDS}
"""Sports by the whole name of a series."""
TAGS = {
    "soccer": "SOCCER",
    "tennis": "TENNIS",
    "mma": "MMA",
    "ufc": "MMA",
    "boxing": "BOXING",
    "golf": "GOLF",
    "esports": "ESPORTS",
    "motorsport": "MOTORSPORT",
    "cricket": "CRICKET",
    "rugby": "RUGBY",
    "chess": "CHESS",
}
"""Tags of the venue that name one sport; those of several leagues (Basketball) name none."""


def series_of(ticker: str) -> str:
    """Return the series that a market's or an event's ticker begins with."""
    return ticker.partition("-")[0]


def sport_of(series: str, category: str = "", tags: Sequence[str] = ()) -> str | None:
    """
    Return the sport of a series; None = nobody says it.

    Args:
        series: its whole name.
        category: the venue's word of it; in Sports a league's series may be called anything.
        tags: the venue's words of it.
    """
    found = SERIES.get(series)
    if found is not None or category.lower() != SPORTS_CATEGORY:
        return found
    fitting = [league for league in LEAGUES if series.startswith(league)]
    if fitting:
        return LEAGUES[max(fitting, key=len)]
    named = {TAGS[tag.lower()] for tag in tags if tag.lower() in TAGS}
    return named.pop() if len(named) == 1 else None
