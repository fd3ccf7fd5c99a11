import { error } from "@sveltejs/kit";
import products from "../../../../static/products.json";

export const load = ({ params }) => products.find(({ id }) => id === params.id) ?? error(404);
