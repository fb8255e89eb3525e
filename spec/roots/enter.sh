# The first process of a root's namespaces (bash): enter.sh ROOT COMMAND... gives ROOT what a started system has
# mounted, and runs the command in ROOT/root/resque-lua. The namespaces end with it: nothing stays mounted, and nobody
# stays. DEBS, if not empty, is the folder with Debian's packages.
set -eu
root=$1
shift

mount --bind "$root" "$root" # what becomes / has to be a mount of its own
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=755 dev "$root/dev"
for name in null zero full random urandom tty; do
    : >"$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/run/lock"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
[ -z "${DEBS-}" ] || mount --bind "$DEBS" "$root/var/cache/apt/archives"
hostname bare

# Not chroot alone: nsenter, as a spec uses it, goes to the root of the mounts.
cd "$root"
pivot_root . .
umount --lazy . # the machine's, which lies on top
chroot . env -C /root/resque-lua "$@"
