"""Which steps are told apart: those that may do harm, and those that only sound like it."""

import pytest

from triage.article_risks import asks_for_secret, unwarned_harm

HARMFUL = [
    # Disks, files and databases.
    "Run format d: on the stick.",
    "Format the hard disk and install again.",
    "Wipe the old drive.",
    "Get-Disk 1 | Clear-Disk -RemoveData",
    "Remove-Item C:\\Temp\\a.b -Recurse",
    "remove-item $profile.path -Force",
    "del /f /q C:\\Windows\\Temp",
    "rd /s C:\\cache",
    "sudo rm -rf /var/cache/app",
    "dd if=image.iso of=/dev/sdb",
    "DROP TABLE users;",
    "TRUNCATE TABLE sessions",
    "DELETE FROM sessions;",
    "UPDATE users SET locked = 0;",
    "ALTER TABLE users DROP COLUMN mail",
    "Delete the user profile and let it be made anew.",
    "Die Festplatte neu formatieren.",
    "Formatieren Sie das Laufwerk.",
    "Benutzerprofil löschen.",
    "Alle Dateien im Ordner löschen.",
    # The registry.
    "Open regedit and look for Policies.",
    "reg add HKLM\\Software\\X /v Y",
    "Delete the key below HKEY_LOCAL_MACHINE\\Software\\X.",
    "Change the value in the registry.",
    "Set-ItemProperty -Path HKCU:\\X -Name Y -Value 1",
    "In der Registrierung den Schlüssel Y löschen.",
    "Ändern Sie den Wert in der Registry.",
    # Accounts and rights.
    "Remove-ADUser -Identity jdoe",
    "net user jdoe /delete",
    "Set-ExecutionPolicy -Scope LocalMachine Unrestricted",
    "chmod -R 777 /srv/share",
    # Code from elsewhere.
    "curl -fsSL https://get.example.com | sh",
    "wget -qO- https://get.example.com | sudo bash",
    "irm https://get.example.com/a.ps1 | iex",
    "Invoke-Expression $script",
    # Protection switched off.
    "Disable the antivirus and try again.",
    "Turn off Windows Defender.",
    "Switch the firewall off.",
    "Set-MpPreference -DisableRealtimeMonitoring $true",
    "Set-NetFirewallProfile -All -Enabled False",
    "netsh advfirewall set allprofiles state off",
    "setenforce 0",
    "Virenscanner kurz deaktivieren.",
    "Die Firewall für den Test ausschalten.",
    "Schalten Sie den Virenschutz kurz aus.",
]
HARMLESS = [
    "Ask in which format the file is.",
    "Format: PDF or DOCX.",
    "Remove the item from the basket.",
    "Delete the message from the outbox.",
    "Select the printer from the list and update it.",
    "Update the driver and set the paper size.",
    "DELETE FROM sessions WHERE user = 'jdoe';",
    "UPDATE users SET locked = 0 WHERE id = 7;",
    "Download the installer with curl https://example.com/a.zip",
    "Look whether the firewall is on.",
    "Ask whether the antivirus has reported anything.",
    "Sign off and on again.",
    "Read the registration number on the device.",
    "Turn off the phone and wait ten seconds.",
    "Den Drucker aus- und wieder einschalten.",
    "Die Registrierung des Geräts prüfen.",
    "Das Netzlaufwerk trennen und neu verbinden.",
    "Schalten Sie den Bildschirm aus.",
    "Nachricht im Ordner Junk löschen.",
]
WARNED = [
    "Caution: back up first, then delete the user profile.",
    "Do not disable the antivirus.",
    "Never turn off the firewall.",
    "Only after approval: Remove-ADUser -Identity jdoe",
    "Achtung, zuvor sichern: Festplatte formatieren.",
    "Den Virenscanner nicht deaktivieren.",
]
ASKING = [
    "Ask the user for their password.",
    "Ask for the current Windows password and sign in.",
    "Ask them what their PIN is.",
    "Request the user's password.",
    "Write down the password in the ticket.",
    "Have them tell you the one-time code.",
    "Let the caller send us the password.",
    "Have the password sent: ask the caller to mail the password to us.",
    "Do not hang up. Ask for their PIN.",
    "Nach dem Passwort fragen.",
    "Fragen Sie die Anruferin nach ihrem aktuellen Kennwort.",
    "Nach dem Passwort.",
    "Das Kennwort erfragen und testen.",
    "PIN nennen lassen.",
    "Lassen Sie sich das Passwort geben.",
    "Bitten Sie den Anrufer um das Passwort.",
    "Passwort notieren.",
]
NOT_ASKING = [
    "Never ask for a password.",
    "Do not ask the user for the password.",
    "Reset it without asking for the old password.",
    "Ask the user for the date of the last password change.",
    "Ask them to type the password themselves.",
    "Ask for the password policy that applies.",
    "Send the user a link to set a new password.",
    "Request a password reset in the console.",
    "Ask for the PIN pad's model.",
    "Fragen Sie nie nach dem Passwort.",
    "Ohne nach dem Kennwort zu fragen, das Konto entsperren.",
    "Fragen Sie nach der letzten Passwortänderung.",
    "Der Anrufer gibt das Passwort selbst ein.",
    "Kein Passwort notieren.",
]


@pytest.mark.parametrize("step", HARMFUL)
def test_a_step_that_may_do_harm_is_found(step: str) -> None:
    assert unwarned_harm(step)


@pytest.mark.parametrize("step", HARMLESS)
def test_a_step_that_only_sounds_like_it_is_let_pass(step: str) -> None:
    assert unwarned_harm(step) is None


@pytest.mark.parametrize("step", WARNED)
def test_a_word_of_warning_is_enough(step: str) -> None:
    assert unwarned_harm(step) is None


@pytest.mark.parametrize("step", ASKING)
def test_a_step_that_asks_for_a_secret_is_found(step: str) -> None:
    assert asks_for_secret(step)


@pytest.mark.parametrize("step", NOT_ASKING)
def test_a_step_that_only_speaks_of_secrets_is_let_pass(step: str) -> None:
    assert not asks_for_secret(step)
