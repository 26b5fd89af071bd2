# prepare.sh USER KEY JDK FOLDER…: what StarRocks asks of a host ("environment configurations" in its documentation). As root, as
# often as you like. Limits of sessions hold from the next login on; StarRocks' nodes are started by new ones.
set -euo pipefail
# sudo may keep the caller's, without the folders of root's programs.
PATH=$PATH:/usr/sbin:/sbin
user=$1 key=$2 jdk=$3
shift 3

# Writes a file only when its content differs, so that times tell when something was changed.
put() {
  local content
  content=$(cat)
  if [ "$(cat -- "$1" 2>/dev/null)" != "$content" ]; then
    mkdir -p -- "$(dirname -- "$1")"
    printf '%s\n' "$content" >"$1"
    echo "wrote $1"
  fi
}

# "*" is no password; without it the account would be locked, and an sshd without PAM then refuses keys as well.
id -- "$user" >/dev/null 2>&1 || { useradd --create-home --shell /bin/bash --password '*' -- "$user"; echo "made user $user"; }

# The cluster's own login; keys that are there stay.
home=$(getent passwd -- "$user" | cut -d: -f6)
keys=$home/.ssh/authorized_keys
if ! grep -qxF -- "$key" "$keys" 2>/dev/null; then
  mkdir -p -- "$home/.ssh"
  # A file may lack its last end of line.
  [ ! -s "$keys" ] || [ -z "$(tail -c 1 -- "$keys")" ] || echo >>"$keys"
  printf '%s\n' "$key" >>"$keys"
  chmod 700 -- "$home/.ssh"
  chmod 600 -- "$keys"
  chown -R -- "$user:" "$home/.ssh"
  ! command -v restorecon >/dev/null || restorecon -R "$home/.ssh"
  echo "let a key log in as $user"
fi

for folder; do
  [ -d "$folder" ] || { mkdir -p -- "$folder"; echo "made $folder"; }
  chown -- "$user:" "$folder"
done

# A BE refuses to start with less than 60000 open files.
put /etc/security/limits.d/90-starrocks.conf <<END
$user - nofile 655350
$user - nproc 65535
$user - stack unlimited
$user - memlock unlimited
END

put /etc/sysctl.d/90-starrocks.conf <<'END'
vm.overcommit_memory = 1
vm.swappiness = 0
vm.max_map_count = 262144
kernel.threads-max = 120000
kernel.pid_max = 200000
net.core.somaxconn = 1024
net.ipv4.tcp_abort_on_overflow = 1
END
sysctl --quiet --load /etc/sysctl.d/90-starrocks.conf

# Off now, and after a restart: entries in fstab are commented out, not lost.
if [ -n "$(swapon --show --noheadings 2>/dev/null)" ]; then
  swapoff --all
  echo "turned swap off"
fi
if grep -qE '^[^#]\S*\s+\S+\s+swap\s' /etc/fstab 2>/dev/null; then
  sed -i -E 's/^([^#]\S*\s+\S+\s+swap\s)/#\1/' /etc/fstab
  echo "took swap out of /etc/fstab"
fi

# Transparent huge pages are no sysctl: tmpfiles.d writes them at every start of the machine.
pages=/sys/kernel/mm/transparent_hugepage
if [ -d "$pages" ]; then
  put /etc/tmpfiles.d/90-starrocks.conf <<END
w $pages/enabled - - - - madvise
w $pages/defrag - - - - madvise
END
  for file in "$pages/enabled" "$pages/defrag"; do
    grep -qF '[madvise]' "$file" || echo madvise >"$file"
  done
fi

# The same JDK on all frontends. StarRocks 3.5 and later run on 17, 3.3 and 3.4 on 11.
if [ -n "$jdk" ] && ! ls -d /usr/lib/jvm/*"$jdk"*/bin/javac >/dev/null 2>&1; then
  if command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "openjdk-$jdk-jdk-headless" >/dev/null
  else
    package=java-$jdk-openjdk-devel
    [ "$jdk" != 8 ] || package=java-1.8.0-openjdk-devel
    if command -v dnf >/dev/null; then dnf install -y -q "$package"; else yum install -y -q "$package"; fi
  fi
  echo "installed JDK $jdk"
fi
