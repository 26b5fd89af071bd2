/**
 * The first process of a host: $1 its root folder, $2 the folder of `makeDisk`, $3 its name, then folders to see.
 * It says its pid, gets its address when the network cable is plugged in, and then lives until its standard input ends:
 * this process holds the other end, so hosts die with the tests, however these end. As pid 1, bash reaps orphans.
 */
export const bootScript = `
set -e
read -r pid _ < /proc/self/stat
echo "$pid"
root=$1
# With the small disks that are mounted in it.
mount --rbind "$root" "$root"
for name in usr etc; do
  mount -t overlay overlay -o "lowerdir=/$name,upperdir=$2/$name,workdir=$2/work/$name" "$root/$name"
done
shift 2
hostname "$1"
shift
for folder; do
  mkdir -p "$root$folder"
  mount --bind "$folder" "$root$folder"
  mount -o remount,bind,ro "$root$folder"
done
mount -t proc proc "$root/proc"
# A host must not tune the kernel of this machine.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/run/sshd"
chmod 1777 "$root/dev/shm"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$root/dev/"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for i in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/\${i%:*}" "$root/dev/\${i#*:}"; done
cd "$root"
pivot_root . .
umount -l .
cd /
read -r address
ip -batch - <<IP
link set lo up
address add $address dev eth0
link set eth0 up
IP
echo ready
set +e
while read -r line; do :; done
`;
