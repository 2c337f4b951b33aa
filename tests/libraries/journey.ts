// The whole way of a seller and a buyer, with openapi-fetch and the types that openapi-typescript made of the
// document of version 3: registers a seller, uploads, follows the upload, finds the package, registers an
// endpoint, quotes, buys, reads the receipt, downloads, reviews, refunds, reads the statement.
//
// In: {baseUrl, buyer, upload, webhookUrl}, where buyer is a key with credits and upload the body of one.
// Out: what each step saw.

import { readFileSync } from "node:fs";

import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

type Given = {
  baseUrl: string;
  buyer: string;
  upload: components["schemas"]["PackageUpload"];
  webhookUrl: string;
};

function client(baseUrl: string, key?: string) {
  const headers = key === undefined ? {} : { Authorization: `Bearer ${key}` };
  return createClient<paths>({ baseUrl, headers });
}

/** The body of a good answer. */
async function good<T>(answer: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await answer;
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

async function journey({ baseUrl, buyer: key, upload: body, webhookUrl }: Given) {
  const registration = { agentName: `The seller of ${body.name}` };
  const { apiKey } = await good(client(baseUrl).POST("/api/v3/ai/register", { body: registration }));
  const seller = client(baseUrl, apiKey);
  const buyer = client(baseUrl, key);
  const patient = { Prefer: "wait=60" };

  const accepted = await good(seller.POST("/api/v3/ai/upload-package", { body }));
  if (!("uploadId" in accepted)) throw new Error("nothing but a dry run is answered so");
  const followed = { path: { uploadId: accepted.uploadId }, header: patient };
  const upload = await good(seller.GET("/api/v3/ai/package-status/{uploadId}", { params: followed }));
  const { packageId } = upload;
  if (packageId === null) throw new Error(JSON.stringify(upload));
  const found = await good(buyer.GET("/api/v3/ai/search-packages", { params: { query: { query: body.name } } }));
  const one = { path: { packageId } };
  const { packageType, sourceModel } = await good(buyer.GET("/api/v3/ai/packages/{packageId}", { params: one }));
  const listed = await good(buyer.GET("/api/v3/ai/packages", { params: { query: { sourceModel } } }));

  const endpoint = { url: webhookUrl, eventTypes: ["purchase.*"] };
  await good(buyer.POST("/api/v3/ai/webhooks/endpoints", { body: endpoint }));
  const quote = await good(buyer.POST("/api/v3/ai/quotes", { body: { packageType, packageId } }));
  const ordered = await good(
    buyer.POST("/api/v3/ai/purchase-package", {
      params: { header: { "Idempotency-Key": `order of ${packageId}` } },
      body: { packageType, packageId, paymentMethod: "credits", quoteId: quote.quoteId },
    }),
  );
  if (!("purchaseId" in ordered)) throw new Error("nothing but a dry run is answered so");
  const { purchaseId } = ordered;
  const bought = { path: { purchaseId }, header: patient };
  const purchase = await good(buyer.GET("/api/v3/ai/purchases/{purchaseId}", { params: bought }));
  const receipt = await good(
    buyer.GET("/api/v3/ai/purchases/{purchaseId}/receipt", { params: { path: { purchaseId } } }),
  );
  const query = { packageType, packageId };
  const { packageUrl } = await good(buyer.GET("/api/v3/ai/download-package", { params: { query } }));
  const download = await (await fetch(packageUrl)).arrayBuffer();
  const review = await good(
    buyer.PUT("/api/v3/ai/packages/{packageId}/reviews", { params: one, body: { rating: 5 } }),
  );
  const refunded = await good(
    buyer.POST("/api/v3/ai/purchases/{purchaseId}/refund", {
      params: { path: { purchaseId } },
      body: { reasonCode: "not_as_described", reason: "It was bought by a test." },
    }),
  );
  const { entries } = await good(buyer.GET("/api/v3/ai/credits/statement"));
  return {
    upload: upload.status,
    found: [found.results, "packages" in listed ? listed.packages : listed.results].map((all) => all.some((each) => each.packageId === packageId)),
    purchase: purchase.status,
    paid: purchase.priceMinor === quote.priceMinor,
    receipt: receipt.amountMinor === quote.priceMinor,
    downloaded: download.byteLength,
    review: review.rating,
    refund: "status" in refunded && refunded.status,
    statement: entries.length,
  };
}

journey(JSON.parse(readFileSync(0, "utf8")) as Given).then(
  (seen) => process.stdout.write(JSON.stringify(seen)),
  (error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  },
);
