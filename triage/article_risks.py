"""Steps that may do harm: commands that destroy, protection switched off, secrets asked for.

English and German, by words alone: an article without a finding still needs a second pair of eyes.
"""

import re

_SECRET = (
    r"(?:passwords?|passphrases?|passcodes?|pins?|(?:one-time|security|login) codes?"
    r"|kennw(?:ort|ortes|örter|oerter)|passw(?:ort|ortes|örter|oerter)|einmalcodes?)\b"
)
_WHOSE = (
    r"(?:(?:the|their|his|her|your|a|an|any|current|old|new|windows|domain|network|admin"
    r"|user(?:['’]s)?|caller(?:['’]s)?|das|dem|der|den|die|seinem|seiner|sein|seine|ihrem|ihrer"
    r"|ihr|ihre|aktuelle[mnrs]?|alte[mnrs]?|neue[mnrs]?)\s+){0,4}"
)
# What follows is about a password, not the password itself: "ask for the password policy".
_ABOUT = r"(?!\s+(?:change|reset|polic|expir|age|history|manager|prompt|field|length|pad))"
_ASKS_FOR_SECRET = re.compile(
    rf"\bask\b[^.;]{{0,60}}?\bfor\s+{_WHOSE}{_SECRET}{_ABOUT}"
    rf"|\bask\b[^.;]{{0,40}}?\bwhat\s+{_WHOSE}{_SECRET}\s+(?:is|was)\b"
    rf"|\b(?:request|write\s+down|note\s+down)\s+{_WHOSE}{_SECRET}{_ABOUT}"
    r"|\b(?:tell|send|give|mail|e-mail|text|read|dictate|share)(?:s|ing)?"
    rf"\s+(?:you|us|me|the\s+desk)\s+{_WHOSE}{_SECRET}{_ABOUT}"
    rf"|\b(?:tell|send|give|mail|e-mail|text|dictate|share)\s+{_WHOSE}{_SECRET}"
    r"\s+(?:to|with)\s+(?:you|us|me|the\s+desk)\b"
    rf"|\bfrag(?:e|en|t)\b[^.;]{{0,60}}?\bnach\s+{_WHOSE}{_SECRET}"
    rf"|\bnach\s+{_WHOSE}{_SECRET}(?:\s+(?:fragen|erkundigen)|\.?$)"
    rf"|\b{_SECRET}\s+(?:erfragen|abfragen|notieren|aufschreiben|mitschreiben"
    r"|(?:geben|nennen|sagen|durchgeben|schicken|mitteilen)\s+lassen)"
    rf"|\blass(?:en\s+sie)?\s+(?:sich|dir)\s+{_WHOSE}{_SECRET}"
    rf"|\bbitten\b[^.;]{{0,40}}?\bum\s+{_WHOSE}{_SECRET}",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:never|not|don['’]t|without|nobody|nie|niemals|nicht|ohne|keine?n?|niemand)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.;!?]\s")

_PROTECTION = (
    r"(?:anti-?virus\w{0,10}|virus\s+(?:scanner|protection)|malware\s+protection"
    r"|endpoint\s+protection|defender|firewall|bitlocker|uac|user\s+account\s+control"
    r"|secure\s?boot|selinux|smartscreen|virenscanner|virenschutz|benutzerkontensteuerung)"
)
_DISK = (
    r"(?:hard\s+)?(?:disk|drive|partition|volume|usb\s+stick|festplatte|laufwerk|datenträger"
    r"|platte)"
)
_REGISTRY = r"(?:registry|registrierung|registrierdatenbank|hklm|hkcu|hkey_[a-z_]{4,20})"
_HARMFUL = (
    # Disks, files and databases.
    r"\bformat\s+[a-z]:",
    r"\b(?:format-volume|clear-disk|initialize-disk|remove-partition|diskpart|mkfs|bcdedit)\b",
    r"\bdel\s+(?:/\w{1,5}\s+){0,5}/[fsq]\b|\b(?:rmdir|rd)\s+/s\b|\bdd\s+(?:if|of)=",
    r"\brm\s+-\w{0,5}[rf]\w{0,5}\b|\bremove-item\b[^;\n]{0,80}\s-(?:recurse|force)\b",
    r"\bcipher\s+/w|\bvssadmin\s+delete\b|\bwevtutil\s+cl\b|\bmanage-bde\s+-off\b",
    r"\bdrop\s+(?:table|database|schema)\b|\btruncate\s+table\b|\balter\s+table\s+\S{1,80}\s+drop\b",
    r"\bdelete\s+from\s+[\w.\[\]\"]{1,80}+(?!\s+where\b)",
    r"\bupdate\s+[\w.\[\]\"]{1,80}+\s+set\s+\w{1,80}+\s*=(?![^;]{0,300}\bwhere\b)",
    rf"\b(?:format|formatting|formatier(?:en|e|t)|wip(?:e|ing))\s+(?:\w{{1,20}}\s+){{0,3}}{_DISK}\b",
    rf"\b{_DISK}\s+(?:\w{{1,20}}\s+){{0,3}}(?:formatieren|löschen)\b",
    r"\b(?:delete|remove)\s+(?:the\s+)?(?:whole\s+|entire\s+)?(?:database|user\s+profile)\b",
    r"\b(?:datenbank|benutzerprofil|alle\s+(?:dateien|daten))\s+(?:\w{1,20}\s+){0,3}löschen\b",
    # The registry.
    r"\bregedit\b|\breg\s+(?:delete|add)\b|\bregistrierungs-?editor\b|\bregistry\s+editor\b",
    rf"\b(?:delete|remove|change|edit|lösch(?:e|en|t)|änder(?:e|n|t))\s[^.;]{{0,60}}\b{_REGISTRY}\b",
    rf"\b{_REGISTRY}\b[^.;]{{0,40}}\b(?:löschen|entfernen|ändern|bearbeiten)\b",
    r"\b(?:remove|set|new)-itemproperty\b",
    # Accounts and rights.
    r"\bremove-(?:aduser|adcomputer|adgroup|mailbox|mguser|vm)\b|\bnet\s+user\s+\S{1,60}\s+/delete\b",
    r"\bset-executionpolicy\b[^;\n]{0,60}\b(?:unrestricted|bypass)\b|\bchmod\s+(?:-r\s+)?777\b",
    # Code from elsewhere, run unseen.
    r"\b(?:curl|wget)\b[^|;\n]{0,200}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b",
    r"\b(?:iwr|irm|curl|wget|invoke-(?:webrequest|restmethod))\b[^|;\n]{0,200}\|\s*iex\b",
    r"\binvoke-expression\b|\biex\s*\(",
    # Protection switched off.
    rf"\b(?:disabl(?:e|ing)|deactivat(?:e|ing)|uninstall(?:ing)?|(?:turn|switch)(?:ing)?\s+off"
    rf"|deaktivier(?:en|e|t))\s[^.;]{{0,40}}\b{_PROTECTION}\b",
    rf"\b(?:turn|switch)\s+(?:the\s+|windows\s+){{0,2}}{_PROTECTION}\s+off\b",
    rf"\b{_PROTECTION}\s[^.;]{{0,40}}\b(?:deaktivieren|abschalten|ausschalten|deinstallieren)\b",
    rf"\bschalte[nt]?\s[^.;]{{0,40}}\b{_PROTECTION}\s(?:\w{{1,20}}\s){{0,3}}(?:aus|ab)\b",
    r"-disablerealtimemonitoring\b|\bset-netfirewallprofile\b[^;\n]{0,80}-enabled\s+\$?false\b",
    r"\bnetsh\s+advfirewall\b[^;\n]{0,60}\b(?:off|reset)\b|\bsetenforce\s+0\b|\bufw\s+disable\b",
)
_HARMS = re.compile("|".join(_HARMFUL), re.IGNORECASE)
_WARNING = re.compile(
    r"\b(?:warning|caution|careful(?:ly)?|danger|back\s?up|backed\s+up|irreversibl[ey]"
    r"|cannot\s+be\s+undone|never|do\s+not|only\s+(?:after|if|when)|achtung|vorsicht|warnung"
    r"|sichern|sicherung|datensicherung|unwiderruflich|niemals|nicht|nur\s+(?:nach|wenn))\b",
    re.IGNORECASE,
)


def asks_for_secret(step: str) -> bool:
    """Tell whether a step asks for a password, a PIN or a one-time code."""
    return any(
        _ASKS_FOR_SECRET.search(sentence) and not _NEGATION.search(sentence)
        for sentence in _SENTENCE_END.split(step)
    )


def unwarned_harm(step: str) -> str | None:
    """Find what may do harm in a step that has no word of warning such as "caution" or "backup"."""
    found = _HARMS.search(step)
    return found[0] if found and not _WARNING.search(step) else None
