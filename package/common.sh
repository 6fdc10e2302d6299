# shellcheck shell=bash disable=SC2034     # what is set here is used by those scripts
# Sourced by the scripts of this folder: where things are, and for which machine. Sets no option of the shell.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ARCH=${ARCH:-x86_64}
RELEASE=${RELEASE:-$TOP/build/release}
WORK=$RELEASE/$ARCH
STAGE=$WORK/stage
JOBS=${JOBS:-$(nproc)}

# The same bytes wherever and whenever it is built.
export LC_ALL=C TZ=UTC
umask 022
# And whatever the builder's shell, or the make that called us, had in mind for other programs.
unset CFLAGS CXXFLAGS CPPFLAGS LDFLAGS LDLIBS LIBS CC CPP AR CPATH C_INCLUDE_PATH LIBRARY_PATH COMPILER_PATH \
    GCC_EXEC_PREFIX MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL DESTDIR CMAKE_GENERATOR CMAKE_PREFIX_PATH TAR_OPTIONS GZIP

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "${0##*/}: $*"
    exit 1
}

case $TOP in
*[[:space:]]*) die "the makefiles of the libraries need a folder without white space: $TOP" ;;
esac

# What the compiler adds against attacks, in our code and in every library: canaries, a touch of each page of the stack,
# places where jumps may end (CET; on Arm BTI, and signed return addresses), sizes that calls are held against
# (package/fortify).
PROTECT='-fstack-protector-strong -fstack-clash-protection'
FORTIFY='-D_FORTIFY_SOURCE=3'

case $ARCH in
x86_64)
    PROTECT+=' -fcf-protection=full'
    HOST_CC=gcc-12 CROSS=''
    KERNEL_HEADERS='/usr/include/linux /usr/include/x86_64-linux-gnu/asm /usr/include/asm-generic'
    TOOL_PACKAGES=''
    ;;
aarch64)
    # The gap at a thread's end is smaller than the 64 KiB that GCC expects there.
    PROTECT+=' --param=stack-clash-protection-guard-size=12 -mbranch-protection=standard'
    HOST_CC=aarch64-linux-gnu-gcc-12 CROSS=aarch64-linux-gnu-
    KERNEL_HEADERS='/usr/aarch64-linux-gnu/include/linux /usr/aarch64-linux-gnu/include/asm
                    /usr/aarch64-linux-gnu/include/asm-generic'
    TOOL_PACKAGES='gcc-12-aarch64-linux-gnu binutils-aarch64-linux-gnu linux-libc-dev-arm64-cross qemu-user-static'
    ;;
*)
    die "ARCH is '$ARCH'; it can be x86_64 or aarch64"
    ;;
esac

# install_packages PACKAGE...: what is missing of them, by apt.
install_packages() {
    local missing=() package

    for package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die "missing packages, and only root can install them: ${missing[*]}"
    say "installing ${missing[*]}"
    apt-get -qq update &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >&2
}
