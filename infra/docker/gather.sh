# What the image of a service holds of the checkout: gather.sh SERVICE CHECKOUT APP
set -eu
service=$1 checkout=$2 app=$3
mkdir -p "$app/services" "$app/infra"
cp -r "$checkout/libs" "$app/libs"
rm -rf "$app/libs/bench" "$app/libs/wire"
cp "$checkout/services/__init__.py" "$app/services/"
cp "$checkout/infra/__init__.py" "$checkout/infra/probe.py" "$app/infra/"
case $service in
jobs)
  cp "$checkout/infra/migrate.py" "$checkout/infra/declare.py" "$app/infra/"
  for migrations in "$checkout"/services/*/migrations; do
    mkdir -p "$app/services/$(basename "$(dirname "$migrations")")"
    cp -r "$migrations" "$app/services/$(basename "$(dirname "$migrations")")/"
  done
  ;;
cli)
  cp -r "$checkout/services/cli" "$app/services/cli"
  cp "$checkout/infra/migrate.py" "$app/infra/"
  cp -r "$checkout/infra/local" "$app/infra/local"
  ;;
*)
  test -d "$checkout/services/$service"
  cp -r "$checkout/services/$service" "$app/services/$service"
  ;;
esac
find "$app" -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -r {} +
