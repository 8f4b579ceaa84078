// Loads avatar.vrm with three-vrm, turns every expression on by itself, and sends back how far each moves a vertex,
// with a picture of those that the address names.
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { VRMLoaderPlugin, VRMUtils } from "@pixiv/three-vrm";

const SIDE = 320;
const wanted = new URLSearchParams(location.search).getAll("show");

function send(result) {
  return fetch("result", { method: "POST", body: JSON.stringify(result) });
}

function turnOn(manager, name) {
  manager.resetValues();
  if (name) manager.setValue(name, 1);
  manager.update();
}

/** The vertex of a mesh that its influences move farthest, and how far they do; null where they move none. */
function farthest(mesh) {
  const targets = mesh.geometry.morphAttributes.position ?? [];
  const on = mesh.morphTargetInfluences.map((weight, place) => [weight, targets[place]]).filter(([weight]) => weight);
  let best = null;
  const count = mesh.geometry.attributes.position.count;
  for (let vertex = 0; on.length && vertex < count; vertex++) {
    const way = new THREE.Vector3();
    for (const [weight, target] of on)
      way.add(new THREE.Vector3().fromBufferAttribute(target, vertex).multiplyScalar(weight));
    if (way.length() > (best?.size ?? 0)) best = { vertex, size: way.length() };
  }
  return best;
}

/** How far the expression moves a vertex of the avatar as it is drawn, with its skin. */
function movement(manager, name, meshes) {
  let most = 0;
  turnOn(manager, name);
  for (const mesh of meshes) {
    const best = farthest(mesh);
    if (!best) continue;
    const there = mesh.getVertexPosition(best.vertex, new THREE.Vector3());
    turnOn(manager, "");
    most = Math.max(most, there.distanceTo(mesh.getVertexPosition(best.vertex, new THREE.Vector3())));
    turnOn(manager, name);
  }
  return most;
}

/** Pictures of the head beside each other, as a data URL. */
function picture(vrm, scene, names) {
  const renderer = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
  renderer.setSize(SIDE, SIDE);
  const head = vrm.humanoid.getRawBoneNode("head").getWorldPosition(new THREE.Vector3());
  const box = new THREE.Box3().setFromObject(vrm.scene);
  const height = Math.max(box.max.y - head.y, 0.1);
  const camera = new THREE.PerspectiveCamera(20, 1, 0.01, 100);
  camera.position.set(head.x, head.y + 0.25 * height, head.z + 4.6 * height);
  camera.lookAt(head.x, head.y + 0.25 * height, head.z);
  const canvas = document.createElement("canvas");
  canvas.width = SIDE * names.length;
  canvas.height = SIDE;
  const drawing = canvas.getContext("2d");
  names.forEach((name, place) => {
    turnOn(vrm.expressionManager, name);
    renderer.render(scene, camera);
    drawing.drawImage(renderer.domElement, place * SIDE, 0);
    drawing.fillText(name || "neutral", place * SIDE + 6, 14);
  });
  return canvas.toDataURL("image/png");
}

try {
  const loader = new GLTFLoader();
  loader.register((parser) => new VRMLoaderPlugin(parser));
  const vrm = (await loader.loadAsync("avatar.vrm")).userData.vrm;
  VRMUtils.rotateVRM0(vrm);
  const scene = new THREE.Scene();
  scene.background = new THREE.Color(0xdddddd);
  const light = new THREE.DirectionalLight(0xffffff, 2.5);
  light.position.set(0.4, 0.6, 1);
  scene.add(vrm.scene, light, new THREE.AmbientLight(0xffffff, 0.8));
  vrm.update(0);
  scene.updateMatrixWorld(true);
  const meshes = [];
  vrm.scene.traverse((node) => node.isMesh && node.morphTargetInfluences && meshes.push(node));
  const manager = vrm.expressionManager;
  const moved = {};
  for (const { expressionName } of manager.expressions) moved[expressionName] = movement(manager, expressionName, meshes);
  const overrides = Object.fromEntries(
    manager.expressions.map((one) => [one.expressionName, [one.overrideBlink, one.overrideLookAt, one.overrideMouth]]),
  );
  await send({ moved, overrides, picture: wanted.length ? picture(vrm, scene, wanted) : "" });
} catch (error) {
  await send({ error: String(error?.stack ?? error) });
}
