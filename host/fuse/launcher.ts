/**
 * How somebody who is not root gets a mounted /dev/fuse: fusermount3, which is set-uid root, mounts and hands the
 * descriptor over a socket. Node cannot receive one, so a few lines of Perl do (every Debian has perl-base), and
 * become Node with it.
 */

/** recvmsg's number, where it is not what newer architectures have in common. */
const RECVMSG = `(x86_64 => 47, i686 => 372, i586 => 372, armv7l => 297, armv6l => 297, s390x => 372, ppc64le => 342)`;

/**
 * Arguments: the directory, mount options, and more words, which are @command. Then $fd is the device's descriptor.
 * The message's header, and what it points to, are laid out as a 64-bit or 32-bit Linux has them (recvmsg(2), cmsg(3)).
 */
export const RECEIVE = `
use strict; use warnings; use Socket; use POSIX (); use Fcntl;
my ($dir, $options, @command) = @ARGV;
socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, 0) or die "socketpair: $!\\n";
my $pid = fork() // die "fork: $!\\n";
if ($pid == 0) {
  fcntl($theirs, F_SETFD, 0);
  $ENV{_FUSE_COMMFD} = fileno($theirs);
  exec('fusermount3', '-o', $options, '--', $dir) or print STDERR "fusermount3: $!\\n";
  POSIX::_exit(127);
}
close $theirs;
my %recvmsg = ${RECVMSG};
my $call = $recvmsg{(POSIX::uname())[4]} // 212;
my $byte = join '', map { chr 0 } 1;
my $control = join '', map { chr 0 } 1 .. 64;
my $iov = pack('P J', $byte, 1);
my $message = pack('J J P J P J J', 0, 0, $iov, 1, $control, 64, 0);
my $got = syscall($call, fileno($ours), $message, 0);
waitpid $pid, 0;
exit(($? >> 8) || 1) if $got < 1 || $?;
my $word = length pack('J', 0);
my ($length, $level, $type, $fd) = unpack('J l l l', $control);
die "fusermount3 sent no descriptor\\n" if $length < $word + 12;
fcntl($ours, F_SETFD, FD_CLOEXEC);
`;

/** The words are a command, in which FD becomes the descriptor's number. */
export const LAUNCHER = `${RECEIVE}
exec map { $_ eq 'FD' ? $fd : $_ } @command or die "$command[0]: $!\\n";
`;
