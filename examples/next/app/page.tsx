import Link from "next/link";
import products from "../public/products.json";

export default function Home() {
  return (
    <ul id="products">
      {products.slice(0, 12).map(({ id, title, url }) => (
        <li key={id}>
          <Link href={url}>{title}</Link>
        </li>
      ))}
    </ul>
  );
}
