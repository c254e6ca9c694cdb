"""The wire: every shape that two services share. One folder per owner, one file per aggregate."""
