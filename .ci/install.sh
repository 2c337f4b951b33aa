# Sourced by ./run and ./test: install_packages NAME... installs what is missing, and only that.
# Names are Debian's; a package counts as present when the program that we need from it is.

present() {
    case "$1" in
        postgresql) ls /usr/lib/postgresql/*/bin/initdb /opt/homebrew/opt/postgresql*/bin/initdb \
                       /usr/local/opt/postgresql*/bin/initdb 2>/dev/null | grep -q . ||
                    command -v initdb >/dev/null ;;
        redis-server) command -v redis-server >/dev/null ;;
        build-essential) command -v cc >/dev/null ;;
        ca-certificates) [ -e /etc/ssl/certs/ca-certificates.crt ] || [ "$(uname)" = Darwin ] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

brew_name() {
    case "$1" in
        postgresql) echo postgresql@17 ;;
        redis-server) echo redis ;;
        *) echo "$1" ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "This needs root and there is no sudo: $*" >&2
        return 1
    fi
}

install_packages() {
    local missing=() name
    for name in "$@"; do
        present "$name" || missing+=("$name")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    echo "Installing: ${missing[*]}"
    if command -v apt-get >/dev/null; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    elif command -v brew >/dev/null; then
        for name in "${missing[@]}"; do
            brew install --quiet "$(brew_name "$name")"
        done
    else
        echo "Neither apt-get nor brew is here. Install these by hand and start again:" >&2
        printf '  %s\n' "${missing[@]}" >&2
        return 1
    fi
}
