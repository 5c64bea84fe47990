import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { geoArea, geoEqualEarth, geoPath } from "d3-geo";
import codes from "i18n-iso-countries";
import { feature } from "topojson-client";

/** The map of the world that the dashboard draws on. */
export interface World {
  /** The outline of the land, as a drawing of its own. */
  readonly svg: string;
  readonly width: number;
  readonly height: number;
  /** The middle of each country, by ISO 3166-1 alpha-2. */
  readonly countries: Readonly<Record<string, readonly [x: number, y: number]>>;
}

const WIDTH = 800;
/** North of Cape Horn: nobody calls from Antarctica. */
const SOUTH_LIMIT = -58;
/** Islands of fewer corners than this are specks. */
const LEAST_CORNERS = 5;

type Topology = Parameters<typeof feature>[0];

const require = createRequire(import.meta.url);

/**
 * Draws the land, and finds the middle of each country, from Natural Earth's public-domain shapes as the package world-atlas
 * brings them. Equal Earth, so that no country looks larger than it is.
 */
export function drawWorld(): World {
  const land = withoutAntarctica(shapes("world-atlas/land-110m.json", "land"));
  const projection = geoEqualEarth().fitWidth(WIDTH, land);
  const path = geoPath(projection).digits(0);
  const height = Math.ceil(path.bounds(land)[1][1]);
  const outline = simplify(path(land) ?? "");
  // The finer shapes have the small countries, too. Some have outlying parts that go by the same number.
  const places = shapes("world-atlas/countries-50m.json", "countries")
    .features.map(({ id, geometry }) => ({
      code: codes.numericToAlpha2(String(id)),
      mainland: largest(geometry),
    }))
    .sort((left, right) => geoArea(left.mainland) - geoArea(right.mainland))
    .flatMap(({ code, mainland }) => {
      const [x, y] = path.centroid(mainland);
      return code === undefined || !(y < height) ? [] : [[code, [Math.round(x), Math.round(y)]] as const];
    });
  const countries = [...new Map(places)].sort(([left], [right]) => (left < right ? -1 : 1));
  return {
    svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(height)}"><path d="${outline}"/></svg>\n`,
    width: WIDTH,
    height,
    countries: Object.fromEntries(countries),
  };
}

function shapes(file: string, name: string): GeoJSON.FeatureCollection {
  const topology = JSON.parse(readFileSync(require.resolve(file), "utf8")) as Topology;
  const object = topology.objects[name];
  const found = object === undefined ? null : feature(topology, object);
  if (found?.type !== "FeatureCollection") throw new Error(`${file} has no ${name}.`);
  return found;
}

function withoutAntarctica(collection: GeoJSON.FeatureCollection): GeoJSON.FeatureCollection {
  const isNorth = (polygon: GeoJSON.Polygon["coordinates"]): boolean =>
    polygon[0]?.some(([, latitude = -90]) => latitude > SOUTH_LIMIT) === true;
  return {
    ...collection,
    features: collection.features.map((one) =>
      one.geometry.type === "MultiPolygon"
        ? { ...one, geometry: { ...one.geometry, coordinates: one.geometry.coordinates.filter(isNorth) } }
        : one,
    ),
  };
}

/** The mainland: the middle of a country and its far islands would lie in the sea. */
function largest(geometry: GeoJSON.Geometry): GeoJSON.Geometry {
  if (geometry.type !== "MultiPolygon") return geometry;
  const parts = geometry.coordinates.map((coordinates): GeoJSON.Polygon => ({
    type: "Polygon",
    coordinates,
  }));
  return parts.sort((left, right) => geoArea(right) - geoArea(left))[0] ?? geometry;
}

/** Whole points, each once in a row, and from one to the next, which is shorter than where each is. */
function simplify(path: string): string {
  return path
    .split("Z")
    .map((ring) => {
      const points = ring
        .slice(1)
        .split("L")
        .map((point) => point.split(",").map(Number) as [number, number]);
      return points.filter(
        ([x, y], index) => index === 0 || x !== points[index - 1]?.[0] || y !== points[index - 1]?.[1],
      );
    })
    .filter((ring) => ring.length >= LEAST_CORNERS)
    .map(([first = [0, 0], ...rest]) => {
      let [x, y] = first;
      const steps = rest.map(([nextX, nextY]) => {
        const step = `${String(nextX - x)} ${String(nextY - y)}`;
        [x, y] = [nextX, nextY];
        return step;
      });
      return `M${first.join(" ")}l${steps.join(" ").replaceAll(" -", "-")}z`;
    })
    .join("");
}
