#@ since 2.3
#!/usr/bin/env bash

curdir=`dirname "$0"`
curdir=`cd "$curdir"; pwd`

exec $curdir/start_backend.sh --cn "$@"
