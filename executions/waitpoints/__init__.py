"""What runs wait for, and who may say that it has come: answers, votes, tokens, events."""
