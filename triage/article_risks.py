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
# Each begins a word: that is looked at once for all of them, which takes a ninth of the time.
_HARMFUL = (
    # Disks, files and databases.
    r"format\s+[a-z]:",
    r"(?:format-volume|clear-disk|initialize-disk|remove-partition|diskpart|mkfs|bcdedit)\b",
    r"del\s+(?:/\w{1,5}\s+){0,5}/[fsq]\b|(?:rmdir|rd)\s+/s\b|dd\s+(?:if|of)=",
    r"rm\s+-\w{0,5}[rf]\w{0,5}\b|remove-item\b[^;\n]{0,80}\s-(?:recurse|force)\b",
    r"cipher\s+/w|vssadmin\s+delete\b|wevtutil\s+cl\b|manage-bde\s+-off\b",
    r"drop\s+(?:table|database|schema)\b|truncate\s+table\b|alter\s+table\s+\S{1,80}\s+drop\b",
    r"delete\s+from\s+[\w.\[\]\"]{1,80}+(?!\s+where\b)",
    r"update\s+[\w.\[\]\"]{1,80}+\s+set\s+\w{1,80}+\s*=(?![^;]{0,300}\bwhere\b)",
    rf"(?:format|formatting|formatier(?:en|e|t)|wip(?:e|ing))\s+(?:\w{{1,20}}\s+){{0,3}}{_DISK}\b",
    rf"{_DISK}\s+(?:\w{{1,20}}\s+){{0,3}}(?:formatieren|löschen)\b",
    r"(?:delete|remove)\s+(?:the\s+)?(?:whole\s+|entire\s+)?(?:database|user\s+profile)\b",
    r"(?:datenbank|benutzerprofil|alle\s+(?:dateien|daten))\s+(?:\w{1,20}\s+){0,3}löschen\b",
    # The registry.
    r"regedit\b|reg\s+(?:delete|add)\b|registrierungs-?editor\b|registry\s+editor\b",
    rf"(?:delete|remove|change|edit|lösch(?:e|en|t)|änder(?:e|n|t))\s[^.;]{{0,60}}\b{_REGISTRY}\b",
    rf"{_REGISTRY}\b[^.;]{{0,40}}\b(?:löschen|entfernen|ändern|bearbeiten)\b",
    r"(?:remove|set|new)-itemproperty\b",
    # Accounts and rights.
    r"remove-(?:aduser|adcomputer|adgroup|mailbox|mguser|vm)\b|net\s+user\s+\S{1,60}\s+/delete\b",
    r"set-executionpolicy\b[^;\n]{0,60}\b(?:unrestricted|bypass)\b|chmod\s+(?:-r\s+)?777\b",
    # Code from elsewhere, run unseen.
    r"(?:curl|wget)\b[^|;\n]{0,200}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b",
    r"(?:iwr|irm|curl|wget|invoke-(?:webrequest|restmethod))\b[^|;\n]{0,200}\|\s*iex\b",
    r"invoke-expression\b|iex\s*\(",
    # Protection switched off.
    rf"(?:disabl(?:e|ing)|deactivat(?:e|ing)|uninstall(?:ing)?|(?:turn|switch)(?:ing)?\s+off"
    rf"|deaktivier(?:en|e|t))\s[^.;]{{0,40}}\b{_PROTECTION}\b",
    rf"(?:turn|switch)\s+(?:the\s+|windows\s+){{0,2}}{_PROTECTION}\s+off\b",
    rf"{_PROTECTION}\s[^.;]{{0,40}}\b(?:deaktivieren|abschalten|ausschalten|deinstallieren)\b",
    rf"schalte[nt]?\s[^.;]{{0,40}}\b{_PROTECTION}\s(?:\w{{1,20}}\s){{0,3}}(?:aus|ab)\b",
    r"disablerealtimemonitoring\b|set-netfirewallprofile\b[^;\n]{0,80}-enabled\s+\$?false\b",
    r"netsh\s+advfirewall\b[^;\n]{0,60}\b(?:off|reset)\b|setenforce\s+0\b|ufw\s+disable\b",
)
_HARMS = re.compile(rf"\b(?=[a-zä])(?:{'|'.join(_HARMFUL)})", re.IGNORECASE)
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
