"""What the slots of a cue phrase stand for: moments, codes, paths, names and the like.

Each is a regular expression of constant cost at each place: every repetition in it is bounded.
"""

from collections.abc import Mapping

_WEEKDAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag)"
    r"(?:s|morgen|früh|vormittag|mittag|nachmittag|abend)?)"
)
_MONTH = (
    r"(?:jan(?:uary|uar)?|feb(?:ruary|ruar)?|march|märz|april?|may|mai|jun[ei]|jul[yi]|aug(?:ust)?"
    r"|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)"
)
_PART_OF_DAY = (
    r"(?:morning|(?:after)?noon|evening|night|lunch(?:time)?|früh|morgen|(?:vor|nach)?mittag|abend"
    r"|nacht)"
)
_NUMBER = (
    r"(?:\d{1,6}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty"
    r"|ein(?:e[nmr]?|s)?|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig)"
)
_UNIT = (
    r"(?:min(?:ute)?[sn]?|h(?:our|r)?s?|days?|weeks?|months?|years?|std|stunden?|tage?n?|wochen?"
    r"|monate?n?|jahre?n?)"
)
_DAY = (
    rf"(?:(?:today|yesterday|tonight|heute|(?:vor)?gestern|{_WEEKDAY})"
    rf"(?:[ ,]{{1,2}}{_PART_OF_DAY})?"
    rf"|(?:early )?this (?:{_PART_OF_DAY}|week|month|year)"
    r"|(?:(?:the )?(?:last|previous|past)|(?:de[rmn] )?(?:letzte|vorige|vergangene|diese)[rmns]?)"
    rf" (?:{_WEEKDAY}|{_PART_OF_DAY}|week(?:end)?|month|year|woche(?:nende)?|monat|jahr|{_MONTH})"
    r"|(?:the )?(?:weekend|wochenende)"
    r"|(?:anfang|ende|mitte)(?: (?:der|dieser|letzter|des|letzten))? (?:woche|monats?)"
    r"|\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}(?:\.|[./]\d{2,4})"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?{_MONTH}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?"
    r"|(?:the|dem) \d{1,2}(?:st|nd|rd|th|\.))"
)
_CLOCK = (
    r"(?:[0-2]?\d:[0-5]\d(?::[0-5]\d)?(?: ?(?:am|pm|uhr|h))?|[0-2]?\d[.h][0-5]\d ?(?:am|pm|uhr|h)"
    r"|[01]?\d ?(?:am|pm|a\.m\.|p\.m\.|o['’]clock)|[0-2]?\d ?uhr(?: [0-5]\d)?"
    r"|noon|midnight|mitternacht|(?:half|quarter) past \w{1,8}"
    r"|(?:viertel|halb) (?:nach |vor )?\w{1,8})"
)

SLOTS: Mapping[str, str] = {
    # a word with a digit in it: a name or number such as LT-4471, 3.12, VA01
    "code": r"#?(?=[^\s\d]{0,20}\d)[\w][\w./\\:#+-]{1,40}",
    "number": _NUMBER,
    # a word with a capital first: in German any noun
    "name": r"(?-i:[A-ZÄÖÜ])[\w&./-]{1,40}",
    # capitals, digits and signs, one sign or digit at least: PRD_BACKUP, SRV-DB
    "constant": r"(?-i:[A-Z](?=[A-Z]{0,20}[\d_-])[A-Z\d_-]{2,40}(?![a-zäöü]))",
    # an inventory number or a computer's name: NB-4410, WS11873
    "asset": (
        r"(?<![\w-])(?-i:(?!HP-|LJ-|ORA|KB|HTTP|INC|REQ|CHG|RITM|TASK|TLS|ISO|RFC|EAN|SAP|ID\b|DR|PR|SRV|KST|IP)"
        r"(?![A-Z]{2,5}-(?:VM|ESX|SRV|DB|APP|WEB)-)[A-Z]{2,5}(?:-[A-Z]{2,5})?-?\d{3,7})"
    ),
    # a server's name: srv-erp03, SQLPROD01
    "host": (
        r"(?:srv|svr|dc|db|sql|app|web|fs|vm|esx|exch|mail|file|ora|sap|erp|citrix|ts|bkp|backup"
        r"|proxy|node|nas|san|gw|fw|sw|k8s)(?:[a-z]{0,10}-?[a-z]{0,10}-?)\d{1,4}(?:-\w{1,6})?"
    ),
    # a user name as systems give them: jdoe2, j.doe, HBRANDT
    "login": (
        r"(?:(?-i:[a-z]{1,12}\d{1,6}|[a-z]{1,15}[._][a-z]{2,20}|[A-Z]{4,12}\d{0,4}(?!\w)"
        r"|[A-Z]{1,3}\d{3,8})|[\w.-]{2,15}\\[\w.-]{2,20})"
    ),
    # a user name in small letters: behind "user" and the like, a word that is no word of a sentence
    "small_login": (
        r"(?-i:(?!(?:about|account|admin|again|aktuell|always|also|auch|auf|aber|beim|bei|bitte|both"
        r"|cannot|could|daten|data|does|doch|eine|einer|erneut|failed|falsch|fehlt|field|form|from"
        r"|gesperrt|geht|gibt|have|help|hier|immer|into|just|kann|keine|kein|konto|leider|locked|mask"
        r"|meldet|mehr|must|name|needs|nicht|noch|nur|oder|only|over|page|password|please|problem"
        r"|prompt|schon|screen|seit|sich|sind|soll|sollte|still|then|this|that|unlock|user|vom|war"
        r"|was|when|which|will|window|wird|with|work|wurde|would|your|zum|zur|after|before|since|until"
        r"|during|through|while|where|because|here|there|details|group|role|account|number|keeps"
        r"|should|might|left|can|has|and|und|the|for|not|never|menu|rights|profile|manual|error)(?!\w))"
        r"(?!\w{0,20}(?:en|et|ert|iert|ung|lich|bar|ed|ing|ion|ions|ts|ks|ets|es|ly|able|ment)(?!\w))"
        r"[a-zäöü]{4,12}(?!\w))"
    ),
    # a code of a business application's transaction: VA02, ME21N
    "transaction": (
        r"(?-i:(?!PC|NB|WS|LT|KB|IE|VM|HP|OG|EG|UG|DC|FS|DB|HH|ID|KW|NR|OS|TB|GB)"
        r"[A-Z]{2,3}\d{2,3}[NH]?)"
    ),
    # a printer's name: PRN-204, DR-VERW-03
    "printer": (
        r"(?-i:(?:HP|PRN|PRT|PR|DRK|DR|DRU|MFP|MFG|PLT|PTR|LBL|ETK|LP|COP|KOP|P)"
        r"(?:-[A-Z\d]{1,8}){1,4})"
    ),
    "letter": r"(?-i:[B-HJ-Z])",
    "extension": r"(?<![\w-])\d{2,6}(?:-\d{1,4})?(?![:.]?\d)",
    "long_number": r"\d{4,14}",
    "hash": r"#(?=[\w-]{0,30}[^\W\d])[\w-]{2,40}",
    "capitals": r"(?-i:[A-Z]{4,20}(?!\w))",
    "camel": r"(?-i:[A-Z][a-z]{1,20}[A-Z]\w{1,30})",
    "word": r"(?:<\w{2,8}>|[\w'’&/@.-]{1,40})",
    "quoted": r"[\"“”„‘'`»«](?=[^\W_])[^\"“”„»«\n]{1,160}?[\"“”‘’'`»«](?!\w)",
    "day": _DAY,
    "clock": _CLOCK,
    "duration": (
        rf"(?:(?:{_NUMBER}(?: ?(?:-|–|to|or|bis|oder) ?{_NUMBER})?|an?|half an|a few|a couple of"
        rf"|several|some|many|mehreren?|einigen?|ein paar|paar|wenigen|einer halben) {_UNIT}"
        rf"|\d{{1,4}}(?:min|h|d)|{_UNIT} now)"
    ),
    "web_address": (
        r"(?:https?://[^\s<>\"]{4,200}|www\.[\w-]{2,60}\.[^\s<>\"]{2,100}"
        r"|(?<![\w@.-])[a-z][\w-]{1,60}\.(?:[\w-]{1,60}\.){0,4}"
        r"(?:com|de|net|org|eu|at|ch|io|local|intern(?:al)?|intra|corp|lan|example|test)"
        r"(?:/[^\s<>\"]{0,200})?(?![\w-]))"
    ),
    # a drive, a share, or a path of at least two parts
    "path": (
        r"(?:\\\\[\w$.-]{1,60}(?:\\[\w $.&-]{1,60}){0,8}"
        r"|(?<!\w)[a-z]:(?:[\\/][\w $.&()-]{0,60}){1,9}"
        r"|(?<!\w)(?-i:[A-Z]):(?![\w/])|(?<![\w/<])/[\w.-]{1,40}/[\w./-]{1,100})"
    ),
    "file": (
        r"[\w()-]{1,60}\.(?:xls[mx]?|docx?|pptx?|pdf|csv|txt|zip|mdb|accdb|vsdx?|msg|pst|dwg|od[pst]"
        r"|rtf|mp4|jpe?g|png)"
    ),
    "error_code": (
        r"(?:0x[\da-f]{4,16}|(?-i:(?:ORA|TNS|PLS|SQL|SQLSTATE|ERR|AADSTS|NET|DNS|SSL|TLS|MSI|CAA)"
        r"[-_: ]?\d{3,8})|(?-i:(?=[A-Z_]{0,40}(?:ERR|FAIL|EXCEPTION|VIOLATION|NOT_|DENIED|TIME"
        r"|INVALID|BAD_|SEC_|REFUSED|RESET|CORRUPT|UNEXPECTED|FAULT))[A-Z]{2,20}(?:_[A-Z\d]{1,20}){1,6})"
        r"|(?:http|https) ?[45]\d\d)"
    ),
    "login_in_brackets": (
        r"\((?-i:(?!sales|logistics|finance|purchasing|quality|accounting|production|warehouse"
        r"|marketing|support|service|einkauf|vertrieb)[a-z]{4,12}\d{0,4})\)"
    ),
}
"""What a slot stands for, as a regular expression of constant cost at each place."""
