import { Stream } from "../src/types/stream.ts";
import { StreamId } from "../src/encodings/stream-id.ts";
const enc=new TextEncoder();
const texts=process.argv[2]==="1"?["f","v"]:["field1","valuevalue","field2","12345"];
const buf=enc.encode(texts.join(""));const start=new Int32Array(8),end=new Int32Array(8);let o=0;
texts.forEach((t,i)=>{start[i]=o;o+=t.length;end[i]=o});
const fields={buf,start,end,first:0,count:texts.length/2};
const limits={maxBytes:4096,maxEntries:100};
for(let r=0;r<6;r++){
const s=new Stream();const id=new StreamId();let worst=0;
const N=2e6;const t=Bun.nanoseconds();
for(let i=0;i<N;i++){id.setTime(1700000000000+(i>>4));id.seqLow=i&15;s.append(id,fields,limits);}
const dt=Bun.nanoseconds()-t;
console.log((dt/N).toFixed(1),"ns/append", (s.memoryUse/N).toFixed(2),"bytes/entry", s.nodes.size);
const t2=Bun.nanoseconds();s.dispose();console.log("dispose ms",(Bun.nanoseconds()-t2)/1e6);
}
