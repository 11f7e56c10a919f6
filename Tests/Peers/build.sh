#!/bin/bash
# Builds the programs that Carillon is compared with into .build-peers/: Tests/Peers/build.sh
# Prints a note for programs that are unavailable, and leaves them out.
set -euo pipefail
cd "$(dirname "$0")/../.."
home=.build-peers
mkdir -p $home

if [ ! -x $home/swift/release/grpc-ping ] || [ -n "$(find Tests/Peers/Sources Tests/Peers/Package.swift -newer $home/swift/release/grpc-ping -print -quit)" ]; then
    echo "building grpc-swift-2 (the first time takes some minutes)"
    swift build -c release --package-path Tests/Peers --scratch-path $home/swift >$home/swift.log 2>&1 ||
        { tail -n 20 $home/swift.log >&2; echo "grpc-swift-2 is left out: it was not built" >&2; }
fi

schedulers=Tests/Peers/Schedulers
if ! cmp -s $schedulers/requirements.txt $home/requirements.txt; then
    echo "installing APScheduler and procrastinate"
    if python3 -m venv $home/python && $home/python/bin/pip install -q --disable-pip-version-check -r $schedulers/requirements.txt; then
        cp $schedulers/requirements.txt $home/requirements.txt
    else
        rm -rf $home/python
        echo "APScheduler and procrastinate are left out: they were not installed" >&2
    fi
fi

jars=/usr/share/java
if [ ! -e $home/java/QuartzPeer.class ] || [ $schedulers/QuartzPeer.java -nt $home/java/QuartzPeer.class ]; then
    mkdir -p $home/java
    javac -d $home/java -cp $jars/quartz2.jar:$jars/HikariCP.jar $schedulers/QuartzPeer.java ||
        echo "Quartz is left out: javac failed" >&2
fi
