# The process is gone.
alert=AkidbDown
inject() { kill -9 "$(cat "$here/pid")"; }
