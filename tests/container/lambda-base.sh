#!/usr/bin/env bash
# Make a stand-in for AWS's Lambda base image, for a machine that cannot pull it, and import it into the Docker engine.
#
#   lambda-base.sh DOCKER TAG PYTHON_PREFIX EMULATOR
#
# The same places (/var/lang, /var/runtime, /var/task), environment, entry point, runtime client and emulator; Debian underneath
# instead of Amazon Linux. PYTHON_PREFIX is a CPython that has a directory of its own. What this machine needs to reach PyPI (its
# CA bundle, its index) goes into the stand-in, so that the Dockerfile need not know of it.
set -euo pipefail
docker=$1 tag=$2 prefix=$3 emulator=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
needs=ca-certificates,libssl3,libffi8,libsqlite3-0,liblzma5,libbz2-1.0,zlib1g,libexpat1,libreadline8,libncursesw6,libuuid1,libstdc++6
debootstrap --variant=minbase --include="$needs" "$release" "$root" "$archive" >"$work/log" 2>&1 ||
  { tail -n 5 "$work/log" >&2; exit 1; }

mkdir -p "$root"/var/{lang,task,runtime}
tar -C "$prefix" --exclude=test --exclude=tests --exclude='*.a' --exclude=idlelib --exclude=site-packages/'[!p]*' -c bin lib |
  tar -C "$root/var/lang" -x
grep -rlI "^#!$prefix" "$root/var/lang/bin" | xargs -r sed -i "1s|$prefix|/var/lang|"

cp --dereference /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
{
  printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n'
  index=$("$prefix/bin/python3" -m pip config get global.index-url 2>/dev/null) && echo "index-url = $index"
} >"$root/etc/pip.conf" || true

cat >"$root/lambda-entrypoint.sh" <<'S'
#!/bin/sh
[ $# -eq 1 ] || { echo "entrypoint requires the handler name to be the first argument" >&2; exit 142; }
export _HANDLER="$1"
[ -n "$AWS_LAMBDA_RUNTIME_API" ] && exec /var/runtime/bootstrap
exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
S
cat >"$root/var/runtime/bootstrap" <<'S'
#!/bin/sh
export PYTHONPATH="/var/task:/opt/python:/var/runtime${PYTHONPATH:+:$PYTHONPATH}"
exec /var/lang/bin/python3 -m awslambdaric "$_HANDLER"
S
install -m 755 "$emulator" "$root/usr/local/bin/aws-lambda-rie"
"$prefix/bin/python3" -m pip install --quiet --no-cache-dir --root-user-action ignore --target "$root/var/runtime" \
  awslambdaric==4.2.2 boto3
"$prefix/bin/python3" -m compileall -q -s "$root" --invalidation-mode unchecked-hash "$root/var/lang/lib" # as AWS's is
chmod +x "$root/lambda-entrypoint.sh" "$root/var/runtime/bootstrap"

tar -C "$root" --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale -c . |
  "$docker" import \
    -c 'ENV LANG=C.UTF-8 TZ=:/etc/localtime' \
    -c 'ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin' \
    -c 'ENV LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib' \
    -c 'ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' \
    -c 'WORKDIR /var/task' -c 'ENTRYPOINT ["/lambda-entrypoint.sh"]' - "$tag"
