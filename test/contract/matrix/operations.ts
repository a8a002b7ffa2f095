type Requirement = Record<string, string[]>;

/** A link of OpenAPI: what of an answer goes into another request. */
export interface Link {
  /** The operationId of the other request. */
  to: string;
  parameters: Record<string, string>;
  body: Record<string, string>;
}

/** An operation, with all that the contract says about who may call it and how a call looks. */
export interface Operation {
  id: string;
  method: string;
  template: string;
  security: Requirement[];
  permissions: string[];
  /** Examples by name. */
  parameters: Record<string, unknown>;
  /** The first example; undefined where the operation takes none. */
  body: object | undefined;
  links: Link[];
}

interface Documented {
  operationId?: string;
  security?: Requirement[];
  'x-permissions'?: string[];
  parameters?: { name: string; example?: unknown }[];
  requestBody?: { content: Record<string, { examples?: Record<string, { value: object }> }> };
  responses?: Record<string, { links?: Record<string, DocumentedLink> }>;
}
interface DocumentedLink {
  operationId: string;
  parameters?: Record<string, string>;
  requestBody?: Record<string, string>;
}
interface Document {
  paths: Record<string, Record<string, Documented>>;
}

/** All operations of a contract, with its references followed. */
export function readOperations(contract: object): Operation[] {
  const { paths } = withoutReferences(contract, contract) as Document; // linted when it was bundled
  return Object.entries(paths).flatMap(([template, item]) =>
    Object.entries(item).flatMap(([method, documented]) =>
      documented.operationId === undefined ? [] : [toOperation(template, method, documented)],
    ),
  );
}

function toOperation(template: string, method: string, documented: Documented): Operation {
  const { operationId = '', parameters = [], requestBody, responses = {} } = documented;
  const [example] = Object.values(requestBody?.content['application/json']?.examples ?? {});
  return {
    id: operationId,
    method: method.toUpperCase(),
    template,
    security: documented.security ?? [],
    permissions: documented['x-permissions'] ?? [],
    parameters: Object.fromEntries(parameters.map((one) => [one.name, one.example])),
    body: requestBody && (example?.value ?? {}),
    links: Object.values(responses)
      .flatMap(({ links = {} }) => Object.values(links))
      .map((link) => ({
        to: link.operationId,
        parameters: link.parameters ?? {},
        body: link.requestBody ?? {},
      })),
  };
}

function withoutReferences(node: unknown, document: object): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((item) => withoutReferences(item, document));
  if ('$ref' in node) return withoutReferences(valueAt(document, String(node.$ref)), document);
  return Object.fromEntries(
    Object.entries(node).map(([name, child]) => [name, withoutReferences(child, document)]),
  );
}

/** What a JSON pointer names; undefined where it leads nowhere. */
export function valueAt(value: unknown, pointer: string): unknown {
  const keys = pointer.replace(/^#?\/?/, '').split('/');
  return keys.reduce<unknown>(
    (node, key) => Object(node)[key.replaceAll('~1', '/').replaceAll('~0', '~')],
    value,
  );
}
