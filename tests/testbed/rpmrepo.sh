#!/usr/bin/env bash
# Makes a repository of small rpm packages in FOLDER, once, to be served over HTTP.
#
#   rpmrepo.sh FOLDER
#
# FOLDER/rpm      baseurl=http://.../rpm      FOLDER/rpmmore    a second repository
#
# The packages, and what each is for:
#   rp-hello 1.0 1.1 2.0    versions; 1.1 is a security update, 2.0 a bug fix
#   rp-lib, rp-dep          rp-dep requires rp-lib and recommends rp-extra
#   rp-one, rp-two          alone, and together the group "Test things" (rp-things); rp-clash conflicts with rp-one
#   rp-needs                requires what is not there
#   rp-fail                 cannot be installed: its script fails
#   rp-more                 is in the second repository
set -euo pipefail
repo=${1:?the folder to make it in}

for tool in rpmbuild:rpm createrepo_c:createrepo-c; do
    command -v "${tool%%:*}" >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${tool##*:}" >/dev/null
done

made=$(sha256sum "${BASH_SOURCE[0]}" | cut -d' ' -f1)
mkdir -p "$repo"
# several tests may want it at once
exec 8>"$repo/.lock"
flock 8
[[ $(cat "$repo/.made" 2>/dev/null) != "$made" ]] || exit 0
rm -rf "${repo:?}"/{rpm,rpmmore}
mkdir -p "$repo/rpm" "$repo/rpmmore"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# package FOLDER NAME VERSION [LINE...]: builds one; lines go into the head of its spec, those after `--` to its end.
package() {
    local folder=$1 name=$2 version=$3 spec=$scratch/$2.spec
    shift 3
    {
        printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: A package for tests\nLicense: None\nBuildArch: noarch\n' "$name" "$version"
        while [[ $# -gt 0 && $1 != -- ]]; do
            echo "$1"
            shift
        done
        printf '%%description\nIt is %s %s.\n%%install\nmkdir -p %%{buildroot}/usr/share/%s\necho %s >%%{buildroot}/usr/share/%s/version\n' \
            "$name" "$version" "$name" "$version" "$name"
        [[ $# == 0 ]] || printf '%s\n' "${@:2}"
        printf '%%files\n/usr/share/%s\n' "$name"
    } >"$spec"
    SOURCE_DATE_EPOCH=1704067200 rpmbuild -bb --quiet --define "_topdir $scratch/build" --define "_rpmdir $repo/$folder" \
        --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' --define 'use_source_date_epoch_as_buildtime 1' \
        --define '_buildhost tests' --define 'clamp_mtime_to_source_date_epoch 1' "$spec"
}

for version in 1.0 1.1 2.0; do package rpm rp-hello "$version"; done
package rpm rp-lib 1.0
package rpm rp-extra 1.0
package rpm rp-dep 1.0 'Requires: rp-lib' 'Recommends: rp-extra'
package rpm rp-one 1.0
package rpm rp-two 1.0
package rpm rp-clash 1.0 'Conflicts: rp-one'
package rpm rp-needs 1.0 'Requires: rp-missing'
package rpm rp-fail 1.0 -- '%pre' 'exit 1'
package rpmmore rp-more 1.0

cat >"$scratch/groups.xml" <<'X'
<?xml version="1.0" encoding="UTF-8"?>
<comps>
  <group>
    <id>rp-things</id><name>Test things</name><description>Two packages</description>
    <default>false</default><uservisible>true</uservisible>
    <packagelist>
      <packagereq type="mandatory">rp-one</packagereq>
      <packagereq type="default">rp-two</packagereq>
    </packagelist>
  </group>
</comps>
X
createrepo_c --quiet --groupfile "$scratch/groups.xml" "$repo/rpm"
createrepo_c --quiet "$repo/rpmmore"
{
    echo '<?xml version="1.0" encoding="UTF-8"?><updates>'
    for update in security:1.1 bugfix:2.0; do
        version=${update##*:}
        cat <<X
<update from="tests@example.com" status="stable" type="${update%%:*}" version="1">
  <id>RP-$version</id><title>rp-hello $version</title><issued date="2024-01-01 00:00:00"/><severity>Moderate</severity><description>An update</description>
  <pkglist><collection short="t"><name>tests</name>
    <package name="rp-hello" version="$version" release="1" epoch="0" arch="noarch"><filename>rp-hello-$version-1.noarch.rpm</filename></package>
  </collection></pkglist>
</update>
X
    done
    echo '</updates>'
} >"$scratch/updateinfo.xml"
modifyrepo_c "$scratch/updateinfo.xml" "$repo/rpm/repodata" >/dev/null
echo "$made" >"$repo/.made"
