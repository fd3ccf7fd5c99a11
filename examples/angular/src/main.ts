import { Component, computed, CUSTOM_ELEMENTS_SCHEMA, input } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { provideRouter, RouterLink, RouterOutlet, withComponentInputBinding } from "@angular/router";
import "ingle/element/define";
import products from "../public/products.json";

@Component({
  selector: "shop-home",
  imports: [RouterLink],
  template: `
    <ul id="products">
      @for (product of products; track product.id) {
        <li><a [routerLink]="product.url">{{ product.title }}</a></li>
      }
    </ul>
  `,
})
class Home {
  readonly products = products.slice(0, 12);
}

@Component({
  selector: "shop-product",
  imports: [RouterLink],
  template: `
    <main [attr.data-ingle-item]="id()">
      <a routerLink="/">Home</a>
      <h1>{{ product()?.title }}</h1>
      <p>{{ product()?.price }}</p>
    </main>
  `,
})
class Product {
  readonly id = input.required<string>();
  readonly product = computed(() => products.find(({ id }) => id === this.id()));
}

@Component({
  selector: "shop-root",
  imports: [RouterOutlet],
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <router-outlet />
    <ingle-shelf src="/recommender/" products="/products.json" heading="Recommended for you" k="6" observe></ingle-shelf>
    <ingle-privacy src="/recommender/" products="/products.json"></ingle-privacy>
  `,
})
class Shop {}

const routes = [
  { path: "", component: Home },
  { path: "products/:id", component: Product },
];
bootstrapApplication(Shop, { providers: [provideRouter(routes, withComponentInputBinding())] });
