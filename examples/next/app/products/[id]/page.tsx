import Link from "next/link";
import { notFound } from "next/navigation";
import products from "../../../public/products.json";
import { View } from "../../elements";

export default async function Product({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const product = products.find((product) => product.id === id) ?? notFound();
  return (
    <main>
      <Link href="/">Home</Link>
      <h1>{product.title}</h1>
      <p>{product.price}</p>
      <View item={id} />
    </main>
  );
}
