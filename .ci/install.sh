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
        docker-compose) command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# The Debian package that carries a program, where the two have different names.
apt_name() {
    case "$1" in
        node) echo nodejs ;;
        promtool) echo prometheus ;;
        amtool) echo prometheus-alertmanager ;;
        python3) echo python3-venv ;;
        *) echo "$1" ;;
    esac
}

brew_name() {
    case "$1" in
        postgresql) echo postgresql@17 ;;
        redis-server) echo redis ;;
        npm) echo node ;;
        promtool) echo prometheus ;;
        amtool) echo alertmanager ;;
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
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            $(for name in "${missing[@]}"; do apt_name "$name"; done)
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

# install_beside COMMAND...: an installation that runs beside what follows, until `installed` waits for it.
install_beside() {
    mkdir -p target
    "$@" >target/installation.log 2>&1 &
    installation=$!
}

installed() {
    wait "$installation" || { cat target/installation.log >&2; return 1; }
}

# The Python libraries that the tests ask, in target/python: they check our figures, our signatures and
# our OpenAPI documents.
install_python() {
    local python=target/python/bin/python3 wanted=tests/libraries/requirements.txt
    local installed=target/python/requirements.txt
    if cmp --silent "$wanted" "$installed"; then
        return 0
    fi
    echo "Installing $wanted into target/python"
    if ! python3 -m venv target/python 2>/dev/null; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
        python3 -m venv --clear target/python
    fi
    "$python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$installed"
}

# The JavaScript library that checks our signatures, in target/javascript.
install_javascript() {
    local wanted=tests/libraries/package-lock.json installed=target/javascript/package-lock.json
    if cmp --silent "$wanted" "$installed" && [ -e target/javascript/node_modules/.package-lock.json ]; then
        return 0
    fi
    echo "Installing $wanted into target/javascript"
    mkdir -p target/javascript
    cp tests/libraries/package.json "$wanted" target/javascript/
    npm ci --prefix target/javascript --silent --no-audit --no-fund --ignore-scripts
}
