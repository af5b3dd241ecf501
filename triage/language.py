"""Which language a ticket is written in, told by small words, letter groups and accents.

For the languages a desk of ours is likely to get. Names of products and English terms of the trade
stand in tickets of every language, so a few words of one are no proof: when unsure, it says so.
"""

import re
from collections.abc import Mapping

UNDETERMINED = "und"
"""The code of "cannot tell" in ISO 639-2."""

LANGUAGE_NAMES: Mapping[str, str] = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt": "Portuguese",
    "it": "Italian",
    "nl": "Dutch",
    UNDETERMINED: "undetermined",
}

# Words that a sentence can hardly do without, and that say nothing about a ticket.
_WORDS = {
    "en": """the and is are was were be been to of in on for with from at by it its this that these
        those have has had not no can cannot could would should will i my me we our us you your he
        she they them their there here when where what which who why how after before since
        please help need needs does do did don doesn any some all but or if so as an a again still
        anymore get got every only hello thanks thank regards into out up about than then just""",
    "de": """der die das den dem des ein eine einen einem einer eines und oder aber ist sind war
        waren wird werden wurde wurden nicht kein keine keinen mit von vom zu zum zur im in am an
        auf aus bei nach seit für über unter durch ich mir mich mein meine meinem meinen wir uns
        unser unsere sie ihr er es bitte hallo danke kann können konnte muss habe haben hat hatte
        wenn weil dass daß wie was wo warum noch schon mehr sehr auch nur immer beim geht gibt
        lässt wieder heute gestern seitdem bekomme kommt""",
    "fr": """le la les un une des du de et ou mais est sont était été être pas ne plus je j'ai mon
        ma mes nous notre nos vous votre vos il elle ils sur dans avec pour par sans sous depuis
        après avant ce cette ces cet que qui quoi quand où comment pourquoi bonjour merci aux au
        en à se son sa ses ai avons avez ont fait faire peux peut pouvez chaque toujours encore
        très aussi tout tous lors dès rien""",
    "es": """el la los las un una unos unas del de y o pero es son está están estaba ser no me mi
        mis nos nuestro nuestra usted ustedes su sus le les lo se que quien cuando donde cómo como
        por para con sin sobre desde después antes hasta en al a esta este esto estos ese hola
        gracias favor puedo puede pueden tengo tiene tenemos hay ha he hemos muy más también ya
        todos cada nada hoy ayer porque""",
    "pt": """o a os as um uma uns umas do da dos das de e ou mas é são está estão estava ser não me
        meu minha meus minhas nos nosso nossa você vocês seu sua ele ela eles que quem quando onde
        como por para com sem sobre desde após depois antes até em no na nos nas ao à às pelo pela
        este esta isto esse isso olá obrigado obrigada favor posso pode podem tenho tem temos há
        foi muito mais também já todos cada nada hoje ontem porque consigo""",
    "it": """il lo la i gli le un uno una del dello della dei degli delle di e o ma è sono era
        erano essere non mi mio mia miei nostro nostra voi suo sua si che chi quando dove come
        perché per con senza su sul sulla sulle da dal dalla dopo prima fino in nel nella nelle al
        alla alle ai questo questa questi quello ciao salve buongiorno grazie posso può possono ho
        ha abbiamo hanno c'è molto più anche già tutti ogni niente oggi ieri viene ancora""",
    "nl": """de het een en of maar is zijn was waren wordt worden werd niet geen met van voor naar
        uit bij op in aan om door over onder sinds na ik mij me mijn wij we ons onze jullie u uw
        hij zij ze er dit dat deze die wie wat wanneer waar hoe waarom hallo goedemorgen bedankt
        dank graag kan kunnen kon moet heb hebben heeft had als omdat nog al meer ook alleen weer
        vandaag gisteren altijd elke sindsdien krijg graag alstublieft lukt doet""",
}

# Groups of letters that one language is full of and the others hardly have; "_" is a word's edge.
_PIECES = {
    "en": "ing_ _th ght_ ould tion_ _wh ck_ ly_ _kn ess_ _sh ous_ ogg ork_ ew_ oo ee",
    "de": "sch ung_ cht keit_ lich _ge _ver eit_ ieren_ _be _an ß ä ö ü _zw tz kann ssen_ pf rung",
    "fr": "eux aux_ ment_ ait_ eur_ oir_ qu' l' d' n' c' j' s' tion_ ette_ ê è ç œ û ère é_ ée_",
    "es": "ción ñ ¿ ¡ ado_ ando_ iendo iente_ idad_ ll ción_ ó_ ués rr uando_ nte_ os_",
    "pt": "ção ções õe ão_ ã nh lh ê ç ndo_ ei_ ou_ agem_ ados_ ível_ ém_ ssa_ os_",
    "it": "zione zioni cch zz gli_ ggi are_ ere_ ire_ ato_ ata_ ò_ ù_ ì_ à_ ll tto_ tta_ ssi cc",
    "nl": "ij aan oor eer_ ee lijk oe uu aa _ge uit _ver heid_ tje_ isch_ cht ui eld_ ken_ pen_",
}

_LANGUAGES = tuple(_WORDS)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|[¿¡]")
_MOST_WORDS = 60
_MOST_LETTERS = 20  # of a word; a longer one is no word of a language
_PIECE_WEIGHT = 0.3
# The words alone are proof enough, and the letters, which take most of the time, are not looked at.
_CLEAR_SCORE, _CLEAR_LEAD = 3.0, 2.0
_LEAST_SCORE = 1.0
_LEAST_LEAD = 1.25  # times the next; below it two languages are as likely


def _weighed(lists: Mapping[str, str]) -> dict[str, list[tuple[int, float]]]:
    """Weigh each entry by how few of the languages have it."""
    holders: dict[str, list[int]] = {}
    for number, language in enumerate(_LANGUAGES):
        for entry in dict.fromkeys(lists[language].split()):
            holders.setdefault(entry, []).append(number)
    return {
        entry: [(number, 1 / len(numbers) ** 2) for number in numbers]
        for entry, numbers in holders.items()
    }


_WORD_WEIGHTS = _weighed(_WORDS)
_PIECE_WEIGHTS = _weighed(_PIECES)
_ANY_PIECE = re.compile(
    "(?=(" + "|".join(sorted(map(re.escape, _PIECE_WEIGHTS), key=len, reverse=True)) + "))"
)


def detect_language(text: str) -> str:
    """Tell the language of a text.

    Returns
    -------
    str : code of ISO 639-1, a key of `LANGUAGE_NAMES`; `UNDETERMINED` where the text is too short,
        mixed, or in none of them
    """
    words = _WORD.findall(text[: _MOST_WORDS * 12].casefold().replace("’", "'"))[:_MOST_WORDS]
    scores = [0.0] * len(_LANGUAGES)
    for word in words:
        for number, weight in _WORD_WEIGHTS.get(word, ()):
            scores[number] += weight
    next_best, best = sorted(scores)[-2:]
    if best < _CLEAR_SCORE or best < _CLEAR_LEAD * next_best:
        joined = "_".join(["", *(word[:_MOST_LETTERS] for word in words), ""])
        for piece in _ANY_PIECE.findall(joined):
            for number, weight in _PIECE_WEIGHTS[piece]:
                scores[number] += _PIECE_WEIGHT * weight
        next_best, best = sorted(scores)[-2:]
    if best < _LEAST_SCORE or best < _LEAST_LEAD * next_best:
        return UNDETERMINED
    return _LANGUAGES[scores.index(best)]
