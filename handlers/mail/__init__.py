"""Mail: a message is written, and handed to the server that a credential names.

with network.call(lent, seconds=60):
receipt = mail.send(mail.write(letter, …), mail.of_credential(credential))
"""

from handlers.mail.addresses import Addresses, Mailbox, OneAddress, read_address, read_addresses
from handlers.mail.message import Letter, write
from handlers.mail.sending import Receipt, log_in, send
from handlers.mail.server import MailServer, Security, of_credential

__all__ = [
    "Addresses",
    "Letter",
    "MailServer",
    "Mailbox",
    "OneAddress",
    "Receipt",
    "Security",
    "log_in",
    "of_credential",
    "read_address",
    "read_addresses",
    "send",
    "write",
]
