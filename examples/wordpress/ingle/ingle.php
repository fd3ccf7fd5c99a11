<?php
/**
 * Plugin Name: Ingle
 * Description: Recommendations computed in the shopper's browser, as a block and a shortcode. The click history stays on the device.
 * Version: 0.1.0
 * Requires at least: 6.5
 * Requires PHP: 7.4
 * License: MIT OR Apache-2.0
 */

namespace Ingle;

defined('ABSPATH') || exit;

const DEFAULTS = ['bundle' => '/recommender/', 'ids' => 'id', 'below' => '1'];

/** A setting: `bundle`, the address of its folder; `ids`, which field the log's ids are; `below`, a shelf below products. */
function setting(string $name): string
{
    return (string) ((array) get_option('ingle') + DEFAULTS)[$name];
}

// ---- The shop's catalogue: products where WooCommerce is, else posts.

function post_type(): string
{
    return post_type_exists('product') ? 'product' : 'post';
}

function woo(int $post): ?object
{
    return function_exists('wc_get_product') ? (wc_get_product($post) ?: null) : null;
}

/** The id that the bundle knows a product by. */
function item(int $post): string
{
    if (setting('ids') === 'sku' && woo($post)) {
        return (string) woo($post)->get_sku();
    }
    return setting('ids') === 'slug' ? get_post_field('post_name', $post) : (string) $post;
}

/** The products file: its path in the uploads, and its address. */
function products_file(): array
{
    ['basedir' => $path, 'baseurl' => $url] = wp_upload_dir(null, false);
    return ["$path/ingle/products.json", "$url/ingle/products.json"];
}

/** Writes all that is for sale into one file, the same for everybody: whoever serves it learns nothing of what is recommended. */
function write_products(): void
{
    [$file] = products_file();
    wp_mkdir_p(dirname($file));
    $part = fopen("$file.part", 'w');
    $separator = '[';
    for ($page = 1; $posts = get_posts(['post_type' => post_type(), 'post_status' => 'publish', 'has_password' => false, 'posts_per_page' => 200, 'paged' => $page, 'orderby' => 'ID', 'order' => 'ASC']); $page++) {
        foreach ($posts as $post) {
            $woo = woo($post->ID);
            if ($woo && !$woo->is_visible()) {
                continue;
            }
            $product = ['id' => item($post->ID), 'title' => html_entity_decode(get_the_title($post), ENT_QUOTES, 'UTF-8'), 'url' => get_permalink($post)];
            if ($image = get_the_post_thumbnail_url($post, 'medium')) {
                $product['image'] = $image;
            }
            if ($woo) {
                $product['price'] = trim(html_entity_decode(wp_strip_all_tags($woo->get_price_html()), ENT_QUOTES, 'UTF-8'));
            }
            fwrite($part, $separator . wp_json_encode($product));
            $separator = ',';
        }
    }
    fwrite($part, $separator === '[' ? '[]' : ']');
    fclose($part);
    rename("$file.part", $file);
}

/** Once for all changes of a request, after its answer. */
function write_products_later(): void
{
    has_action('shutdown', __NAMESPACE__ . '\write_products') || add_action('shutdown', __NAMESPACE__ . '\write_products');
}

foreach (['woocommerce_update_product', 'woocommerce_new_product', 'trashed_post', 'untrashed_post', 'deleted_post', 'update_option_ingle'] as $change) {
    add_action($change, __NAMESPACE__ . '\write_products_later');
}
add_action('save_post', fn ($id, $post) => $post->post_type === post_type() && write_products_later(), 10, 2);
add_action('ingle_daily', __NAMESPACE__ . '\write_products');
register_activation_hook(__FILE__, function () {
    write_products_later();
    wp_next_scheduled('ingle_daily') || wp_schedule_event(time(), 'daily', 'ingle_daily');
});
register_deactivation_hook(__FILE__, fn () => wp_clear_scheduled_hook('ingle_daily'));

// ---- The page: the package's script, and what the markup says of the product.

add_action('wp_enqueue_scripts', fn () => wp_enqueue_script('ingle', plugins_url('files/ingle.iife.js', __FILE__), [], filemtime(__DIR__ . '/files/ingle.iife.js'), ['strategy' => 'defer']));
// Plugins that combine scripts move it away from its other files.
add_action('wp_head', fn () => printf('<meta data-ingle-base="%s">', esc_url(plugins_url('files/', __FILE__))));
// The whole page of a product is a view of it.
add_filter('language_attributes', fn ($attributes) => is_singular(post_type()) ? sprintf('%s data-ingle-item="%s"', $attributes, esc_attr(item(get_queried_object_id()))) : $attributes);

add_filter('woocommerce_loop_add_to_cart_args', function ($arguments, $product) {
    $arguments['attributes'] = ['data-ingle-item' => item($product->get_id()), 'data-ingle-event' => 'cart'] + (array) ($arguments['attributes'] ?? []);
    return $arguments;
}, 10, 2);
// Some templates have no quantity before the button.
add_action('woocommerce_after_add_to_cart_quantity', function () {
    printf('<span style="display: contents" data-ingle-item="%s" data-ingle-event="cart">', esc_attr(item(get_the_ID())));
    add_action('woocommerce_after_add_to_cart_button', __NAMESPACE__ . '\after_button');
});

function after_button(): void
{
    remove_action('woocommerce_after_add_to_cart_button', __NAMESPACE__ . '\after_button');
    echo '</span>';
}

add_action('woocommerce_after_single_product_summary', fn () => print(setting('below') ? shelf(['kind' => 'similar', 'heading' => __('More like this', 'ingle')]) : ''), 15);

// ---- Shelves and the shopper's panel, as blocks and shortcodes.

/** What both elements are told. A banner that tells the WP Consent API decides; without one the panel asks. */
function attributes(): string
{
    return sprintf('src="%s" products="%s" consent="%s" observe', esc_url(setting('bundle')), esc_url(products_file()[1]), function_exists('wp_has_consent') ? 'banner' : 'ask');
}

function shelf($given = []): string
{
    $given = shortcode_atts(['kind' => 'personal', 'heading' => __('Recommended for you', 'ingle'), 'k' => '8', 'items' => is_singular(post_type()) ? item(get_queried_object_id()) : ''], (array) $given);
    // Of what there is to be similar to, there is nothing on a page of no product.
    if ($given['items'] === '' && in_array($given['kind'], ['similar', 'complete'], true)) {
        $given['kind'] = 'personal';
    }
    return sprintf('<ingle-shelf %s kind="%s" items="%s" heading="%s" k="%d"></ingle-shelf>', attributes(), esc_attr($given['kind']), esc_attr($given['items']), esc_attr($given['heading']), (int) $given['k']);
}

function privacy(): string
{
    return sprintf('<ingle-privacy %s></ingle-privacy>', attributes());
}

add_action('init', function () {
    add_shortcode('ingle_shelf', __NAMESPACE__ . '\shelf');
    add_shortcode('ingle_privacy', __NAMESPACE__ . '\privacy');
    wp_register_script('ingle-blocks', plugins_url('blocks.js', __FILE__), ['wp-blocks', 'wp-block-editor', 'wp-components', 'wp-element', 'wp-i18n'], filemtime(__DIR__ . '/blocks.js'));
    $text = fn ($default) => ['type' => 'string', 'default' => $default];
    register_block_type('ingle/shelf', ['api_version' => 3, 'title' => __('Recommendations', 'ingle'), 'category' => 'widgets', 'icon' => 'star-filled', 'editor_script_handles' => ['ingle-blocks'], 'attributes' => ['kind' => $text('personal'), 'heading' => $text(__('Recommended for you', 'ingle')), 'k' => ['type' => 'number', 'default' => 8]], 'render_callback' => __NAMESPACE__ . '\shelf']);
    register_block_type('ingle/privacy', ['api_version' => 3, 'title' => __('What this browser knows', 'ingle'), 'category' => 'widgets', 'icon' => 'privacy', 'editor_script_handles' => ['ingle-blocks'], 'render_callback' => __NAMESPACE__ . '\privacy']);
});

add_filter('wp_consent_api_registered_' . plugin_basename(__FILE__), '__return_true');

// ---- Settings.

add_action('admin_menu', fn () => add_options_page(__('Recommendations', 'ingle'), __('Recommendations', 'ingle'), 'manage_options', 'ingle', __NAMESPACE__ . '\settings_page'));
add_action('admin_init', function () {
    register_setting('ingle', 'ingle', ['sanitize_callback' => fn ($given) => [
        'bundle' => sanitize_url($given['bundle'] ?? '') ?: DEFAULTS['bundle'],
        'ids' => in_array($given['ids'] ?? '', ['id', 'sku', 'slug'], true) ? $given['ids'] : DEFAULTS['ids'],
        'below' => empty($given['below']) ? '' : '1',
    ]]);
    wp_add_privacy_policy_content('Ingle', __('Recommendations are computed in your browser. What you look at is kept in the memory of the open pages and, if you allow it, on your device; it is not sent to us or to anybody else.', 'ingle'));
});

function settings_page(): void
{
    $choices = ['id' => __('their numbers', 'ingle'), 'sku' => __('their SKUs', 'ingle'), 'slug' => __('their slugs', 'ingle')];
    ?>
    <div class="wrap">
      <h1><?= esc_html__('Recommendations', 'ingle') ?></h1>
      <form method="post" action="options.php">
        <?php settings_fields('ingle') ?>
        <table class="form-table" role="presentation">
          <tr>
            <th><label for="ingle-bundle"><?= esc_html__('Folder of the bundle', 'ingle') ?></label></th>
            <td><input id="ingle-bundle" name="ingle[bundle]" class="regular-text" value="<?= esc_attr(setting('bundle')) ?>"></td>
          </tr>
          <tr>
            <th><label for="ingle-ids"><?= esc_html__('Products are known to the bundle by', 'ingle') ?></label></th>
            <td><select id="ingle-ids" name="ingle[ids]">
              <?php foreach ($choices as $value => $name): ?>
                <option value="<?= esc_attr($value) ?>" <?php selected(setting('ids'), $value) ?>><?= esc_html($name) ?></option>
              <?php endforeach ?>
            </select></td>
          </tr>
          <tr>
            <th><?= esc_html__('Product pages', 'ingle') ?></th>
            <td><label><input type="checkbox" name="ingle[below]" value="1" <?php checked(setting('below'), '1') ?>> <?= esc_html__('Show similar products below', 'ingle') ?></label></td>
          </tr>
        </table>
        <?php submit_button() ?>
      </form>
      <p><?= esc_html__('Products file:', 'ingle') ?> <code><?= esc_html(products_file()[1]) ?></code></p>
    </div>
    <?php
}
