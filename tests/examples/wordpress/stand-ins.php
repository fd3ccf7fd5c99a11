<?php
// Stands in for WooCommerce, which no package registry has, with the functions and hooks that the plugin uses of it, and for the
// WP Consent API with a banner.

function register_products()
{
    register_post_type('product', ['public' => true, 'show_in_rest' => true, 'label' => 'Products', 'rewrite' => ['slug' => 'products'], 'supports' => ['title', 'editor', 'thumbnail']]);
}
add_action('init', 'register_products', 5);

function wc_get_product($id)
{
    return get_post_type($id) !== 'product' ? false : new class ($id) {
        private int $id;

        public function __construct($id)
        {
            $this->id = (int) $id;
        }

        public function get_id()
        {
            return $this->id;
        }

        public function get_sku()
        {
            return 'sku-' . $this->id;
        }

        public function is_visible()
        {
            return true;
        }

        public function get_price_html()
        {
            return '<span class="amount"><bdi>&pound;' . get_post_meta($this->id, 'price', true) . '</bdi></span>';
        }
    };
}

// What WooCommerce's template of a product has around its button, and below.
add_filter('the_content', function ($content) {
    if (!is_singular('product')) {
        return $content;
    }
    ob_start();
    do_action('woocommerce_after_add_to_cart_quantity');
    echo '<button type="button" id="add">Add to basket</button>';
    do_action('woocommerce_after_add_to_cart_button');
    do_action('woocommerce_after_single_product_summary');
    return $content . ob_get_clean();
});

function wp_has_consent(string $category): bool
{
    return ($_COOKIE["wp_consent_$category"] ?? '') === 'allow';
}

add_action('wp_head', function () {
    ?>
    <script>
      function wp_has_consent(category) {
        return document.cookie.split("; ").includes(`wp_consent_${category}=allow`);
      }
      function wp_set_consent(category, value) {
        document.cookie = `wp_consent_${category}=${value}; path=/`;
        document.dispatchEvent(new CustomEvent("wp_listen_for_consent_change", { detail: { [category]: value } }));
      }
    </script>
    <?php
});
