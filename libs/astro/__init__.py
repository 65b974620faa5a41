from libs.astro.version import keep_cache_by_version

keep_cache_by_version()
