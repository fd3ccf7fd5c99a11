<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path !== '/' && is_file(__DIR__ . $path)) {
    return false; // PHP's own server sends the file.
}
$products = array_column(json_decode(file_get_contents(__DIR__ . '/products.json'), true), null, 'id');
$product = $products[basename($path)] ?? null;
if ($path !== '/' && !$product) {
    http_response_code(404);
}
?>
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title><?= htmlspecialchars($product['title'] ?? 'Shop') ?></title>
  <link rel="icon" href="data:,">
  <script src="/ingle/ingle.iife.js" defer></script>
</head>
<body>
<?php if ($product): ?>
  <main data-ingle-item="<?= htmlspecialchars($product['id']) ?>">
    <a href="/">Home</a>
    <h1><?= htmlspecialchars($product['title']) ?></h1>
    <p><?= htmlspecialchars($product['price']) ?></p>
  </main>
<?php else: ?>
  <ul id="products">
<?php foreach (array_slice($products, 0, 12) as ['title' => $title, 'url' => $url]): ?>
    <li><a href="<?= htmlspecialchars($url) ?>"><?= htmlspecialchars($title) ?></a></li>
<?php endforeach ?>
  </ul>
<?php endif ?>
  <ingle-shelf src="/recommender/" consent="ask" products="/products.json" heading="Recommended for you" k="6" observe></ingle-shelf>
  <ingle-privacy src="/recommender/" consent="ask" products="/products.json"></ingle-privacy>
</body>
</html>
