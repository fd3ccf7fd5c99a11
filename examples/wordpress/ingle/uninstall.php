<?php
defined('WP_UNINSTALL_PLUGIN') || exit;
delete_option('ingle');
wp_delete_file(wp_upload_dir(null, false)['basedir'] . '/ingle/products.json');
