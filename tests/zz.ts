import { Stream } from "../src/types/stream.ts";
import { StreamId } from "../src/encodings/stream-id.ts";
import { fieldsOf } from "./unit/types/stream-support.ts";
const id=new StreamId();const fields=fieldsOf(["field","value"]);
for(let r=0;r<2;r++){const stream=new Stream();id.clear();
const N=Number(process.argv[2]??1e7);const bad:string[]=[];
const t0=Bun.nanoseconds();
for(let i=0;i<N;){const s=Bun.nanoseconds();for(const e=i+100;i<e;i++){id.increment();stream.append(id,fields,{maxBytes:4096,maxEntries:100});}
const d=(Bun.nanoseconds()-s)/1e6;if(d>5)bad.push(`${i}:${d.toFixed(1)}`);}
console.log("total ms",(Bun.nanoseconds()-t0)/1e6,bad.join(" "), process.memoryUsage().rss/1e6);
const s=Bun.nanoseconds();stream.dispose();console.log("dispose",(Bun.nanoseconds()-s)/1e6);}
